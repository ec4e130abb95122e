CREATE TABLE "slip_rounds" (
	"day" date PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "slips" ADD COLUMN "group_may_know" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "slips" ADD COLUMN "is_signed" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "slip_steps_spread" ON "slip_steps" USING btree ("slip_id") WHERE kind = 'spread';