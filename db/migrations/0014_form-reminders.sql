CREATE TABLE "form_reminders" (
	"form" text NOT NULL,
	"period" text NOT NULL,
	"days_before" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "form_reminders_form_period_days_before_pk" PRIMARY KEY("form","period","days_before")
);
--> statement-breakpoint
CREATE UNIQUE INDEX "form_returns_current" ON "form_returns" USING btree ("form","period","unit_id") WHERE replaced_at is null;--> statement-breakpoint
CREATE UNIQUE INDEX "unit_plans_current" ON "unit_plans" USING btree ("unit_id","year") WHERE replaced_at is null;