CREATE TABLE "subsidy_mornings" (
	"unit_id" bigint NOT NULL,
	"day" date NOT NULL,
	CONSTRAINT "subsidy_mornings_unit_id_day_pk" PRIMARY KEY("unit_id","day")
);
--> statement-breakpoint
ALTER TABLE "pay_bills" ADD COLUMN "receipt_asked_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "subsidy_mornings" ADD CONSTRAINT "subsidy_mornings_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;