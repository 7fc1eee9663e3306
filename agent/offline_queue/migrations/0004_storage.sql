-- Rows that a damaged file held and nobody could read: how many of an epoch, and which.
ALTER TABLE "epoch" ADD COLUMN "lost" INTEGER NOT NULL DEFAULT 0;

CREATE TABLE "lost_range" (
    "epoch" INTEGER NOT NULL,
    "first" INTEGER NOT NULL,
    "last" INTEGER NOT NULL,
    "record" BLOB NOT NULL,
    PRIMARY KEY ("epoch", "first")
) WITHOUT ROWID;
