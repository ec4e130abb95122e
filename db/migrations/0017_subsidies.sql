CREATE TABLE "pay_bills" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "pay_bills_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"item_id" bigint NOT NULL,
	"run_id" bigint NOT NULL,
	"number" text NOT NULL,
	"fen" bigint NOT NULL,
	"order_sealed" text NOT NULL,
	"state" text NOT NULL,
	"is_doubtful" boolean DEFAULT false NOT NULL,
	"platform_number" text,
	"package_sealed" text,
	"fail_reason" text,
	"waiting_since" timestamp (3) with time zone,
	"told_at" timestamp (3) with time zone,
	"attempts" integer DEFAULT 0 NOT NULL,
	"not_found" integer DEFAULT 0 NOT NULL,
	"due_at" timestamp (3) with time zone,
	"cancel_asked_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pay_comparisons" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "pay_comparisons_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"run_id" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"asked_by" bigint,
	"bills" integer NOT NULL,
	"differences" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pay_ledger" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "pay_ledger_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp (3) with time zone NOT NULL,
	"unit_id" bigint NOT NULL,
	"year" integer NOT NULL,
	"run_id" bigint NOT NULL,
	"bill_id" bigint,
	"item_id" bigint NOT NULL,
	"kind" text NOT NULL,
	"fen" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "subsidy_budgets" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "subsidy_budgets_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"unit_id" bigint NOT NULL,
	"year" integer NOT NULL,
	"fen" bigint NOT NULL,
	"set_by" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "subsidy_claims" (
	"kind" text NOT NULL,
	"person_id" bigint NOT NULL,
	"item_id" bigint NOT NULL,
	CONSTRAINT "subsidy_claims_kind_person_id_pk" PRIMARY KEY("kind","person_id")
);
--> statement-breakpoint
CREATE TABLE "subsidy_items" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "subsidy_items_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"run_id" bigint NOT NULL,
	"person_id" bigint NOT NULL,
	"name" text NOT NULL,
	"place" text NOT NULL,
	"is_out_of_province" boolean NOT NULL,
	"starts_on" date NOT NULL,
	"fen" bigint NOT NULL,
	"identity_id" bigint,
	"left_out_reason" text
);
--> statement-breakpoint
CREATE TABLE "subsidy_runs" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "subsidy_runs_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"unit_id" bigint NOT NULL,
	"year" integer NOT NULL,
	"way" text NOT NULL,
	"status" text NOT NULL,
	"made_by" bigint NOT NULL,
	"made_at" timestamp (3) with time zone NOT NULL,
	"submitted_at" timestamp (3) with time zone,
	"content_hash" text,
	"checked_by" bigint,
	"checked_at" timestamp (3) with time zone,
	"reason" text
);
--> statement-breakpoint
ALTER TABLE "pay_bills" ADD CONSTRAINT "pay_bills_item_id_subsidy_items_id_fk" FOREIGN KEY ("item_id") REFERENCES "public"."subsidy_items"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "pay_bills" ADD CONSTRAINT "pay_bills_run_id_subsidy_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."subsidy_runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "pay_comparisons" ADD CONSTRAINT "pay_comparisons_run_id_subsidy_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."subsidy_runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "pay_comparisons" ADD CONSTRAINT "pay_comparisons_asked_by_persons_id_fk" FOREIGN KEY ("asked_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_budgets" ADD CONSTRAINT "subsidy_budgets_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_budgets" ADD CONSTRAINT "subsidy_budgets_set_by_persons_id_fk" FOREIGN KEY ("set_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_claims" ADD CONSTRAINT "subsidy_claims_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_claims" ADD CONSTRAINT "subsidy_claims_item_id_subsidy_items_id_fk" FOREIGN KEY ("item_id") REFERENCES "public"."subsidy_items"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_items" ADD CONSTRAINT "subsidy_items_run_id_subsidy_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."subsidy_runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_items" ADD CONSTRAINT "subsidy_items_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_items" ADD CONSTRAINT "subsidy_items_identity_id_identities_id_fk" FOREIGN KEY ("identity_id") REFERENCES "public"."identities"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_runs" ADD CONSTRAINT "subsidy_runs_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_runs" ADD CONSTRAINT "subsidy_runs_made_by_persons_id_fk" FOREIGN KEY ("made_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_runs" ADD CONSTRAINT "subsidy_runs_checked_by_persons_id_fk" FOREIGN KEY ("checked_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "pay_bills_number" ON "pay_bills" USING btree ("number");--> statement-breakpoint
CREATE UNIQUE INDEX "pay_bills_live" ON "pay_bills" USING btree ("item_id") WHERE state not in ('failed', 'cancelled');--> statement-breakpoint
CREATE INDEX "pay_bills_due" ON "pay_bills" USING btree ("due_at") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "pay_bills_run" ON "pay_bills" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "pay_comparisons_run" ON "pay_comparisons" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "pay_ledger_run" ON "pay_ledger" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "pay_ledger_year" ON "pay_ledger" USING btree ("unit_id","year");--> statement-breakpoint
CREATE UNIQUE INDEX "pay_ledger_once" ON "pay_ledger" USING btree ("bill_id","kind") WHERE bill_id is not null;--> statement-breakpoint
CREATE INDEX "subsidy_budgets_of" ON "subsidy_budgets" USING btree ("unit_id","year");--> statement-breakpoint
CREATE UNIQUE INDEX "subsidy_items_once" ON "subsidy_items" USING btree ("run_id","person_id");--> statement-breakpoint
CREATE INDEX "subsidy_items_person" ON "subsidy_items" USING btree ("person_id");--> statement-breakpoint
CREATE INDEX "subsidy_runs_unit" ON "subsidy_runs" USING btree ("unit_id","year");--> statement-breakpoint
CREATE FUNCTION refuse_pay_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the ledger of payments is append-only';
END $$;--> statement-breakpoint
CREATE TRIGGER pay_ledger_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON pay_ledger
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_pay_ledger_change();
