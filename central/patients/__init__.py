"""Persons: the cross-domain master index (跨域主索引), their documents and their names."""
