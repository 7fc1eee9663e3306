"""Numbered SQL files, ``NNNN_noun.sql``, run by ``agent.offline_queue.migration``."""
