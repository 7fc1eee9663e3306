-- One row an epoch: whose it is, and as of the last opening or settling its head and counts.
CREATE TABLE "epoch" (
    "number" INTEGER NOT NULL PRIMARY KEY,
    "box" TEXT NOT NULL,
    "suite" INTEGER NOT NULL,
    "begun" INTEGER NOT NULL,
    "seq" INTEGER NOT NULL,
    "hash" BLOB NOT NULL,
    "floor" INTEGER NOT NULL,
    "settled" INTEGER NOT NULL,
    "tombstoned" INTEGER NOT NULL
);

-- The ledger. One tree and no index: each one more is a page more to sync in every enqueue.
CREATE TABLE "row" (
    "epoch" INTEGER NOT NULL,
    "seq" INTEGER NOT NULL,
    "id" BLOB NOT NULL,
    "lane" INTEGER NOT NULL,
    "born" INTEGER NOT NULL,
    "prev" BLOB NOT NULL,
    "body" BLOB,
    "body_hash" BLOB NOT NULL,
    "hash" BLOB NOT NULL,
    "state" INTEGER NOT NULL,
    "tombstone" BLOB,
    PRIMARY KEY ("epoch", "seq"),
    CHECK ("state" BETWEEN 0 AND 2),
    CHECK ("body" IS NOT NULL OR "state" <> 0),
    CHECK (("tombstone" IS NOT NULL) = ("state" = 2))
) WITHOUT ROWID;

CREATE TABLE "encapsulation" (
    "id" BLOB NOT NULL PRIMARY KEY,
    "wrapped" BLOB NOT NULL,
    "made" INTEGER NOT NULL
) WITHOUT ROWID;

-- Keyed tokens of the codes that records of this box used up.
CREATE TABLE "consumed_code" (
    "token" BLOB NOT NULL PRIMARY KEY,
    "id" BLOB NOT NULL,
    "born" INTEGER NOT NULL,
    "verdict" TEXT NOT NULL
) WITHOUT ROWID;
