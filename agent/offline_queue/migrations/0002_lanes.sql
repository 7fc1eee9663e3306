-- Pending rows of each lane, as of the epoch's noted head: no opening counts a million rows.
CREATE TABLE "waiting" (
    "epoch" INTEGER NOT NULL,
    "lane" INTEGER NOT NULL,
    "rows" INTEGER NOT NULL,
    PRIMARY KEY ("epoch", "lane")
) WITHOUT ROWID;

INSERT INTO "waiting" SELECT "epoch"."number", "lane", count(*) FROM "epoch" JOIN "row"
    ON "row"."epoch" = "number" AND "row"."seq" <= "epoch"."seq" AND "state" = 0 GROUP BY 1, 2;
