-- Heads that central countersigned, and up to where rows were pruned behind them.
CREATE TABLE "anchor" (
    "epoch" INTEGER NOT NULL PRIMARY KEY,
    "seq" INTEGER NOT NULL,
    "hash" BLOB NOT NULL,
    "signature" BLOB NOT NULL,
    "pruned" INTEGER NOT NULL,
    "pruned_hash" BLOB NOT NULL,
    "settled" INTEGER NOT NULL,
    "tombstoned" INTEGER NOT NULL
);
