"""Cards: a person's virtual account (卡管), its codes, and the ledger of issued dynamic codes."""
