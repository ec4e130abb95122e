CREATE TABLE "delivery_asks" (
	"delivery_id" bigint NOT NULL,
	"person_id" bigint NOT NULL,
	"step" text NOT NULL,
	"asked_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "delivery_asks_delivery_id_person_id_pk" PRIMARY KEY("delivery_id","person_id")
);
--> statement-breakpoint
CREATE TABLE "notice_chases" (
	"notice_id" bigint NOT NULL,
	"person_id" bigint NOT NULL,
	"count" smallint NOT NULL,
	"last_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "notice_chases_notice_id_person_id_pk" PRIMARY KEY("notice_id","person_id")
);
--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "step" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "due_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "notices" ADD COLUMN "importance" text DEFAULT 'normal' NOT NULL;--> statement-breakpoint
ALTER TABLE "notices" ADD COLUMN "steps" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "outgoing_messages" ADD COLUMN "notice_id" bigint;--> statement-breakpoint
ALTER TABLE "delivery_asks" ADD CONSTRAINT "delivery_asks_delivery_id_deliveries_id_fk" FOREIGN KEY ("delivery_id") REFERENCES "public"."deliveries"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "delivery_asks" ADD CONSTRAINT "delivery_asks_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notice_chases" ADD CONSTRAINT "notice_chases_notice_id_notices_id_fk" FOREIGN KEY ("notice_id") REFERENCES "public"."notices"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notice_chases" ADD CONSTRAINT "notice_chases_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "delivery_asks_person" ON "delivery_asks" USING btree ("person_id");--> statement-breakpoint
ALTER TABLE "outgoing_messages" ADD CONSTRAINT "outgoing_messages_notice_id_notices_id_fk" FOREIGN KEY ("notice_id") REFERENCES "public"."notices"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "deliveries_due" ON "deliveries" USING btree ("due_at","owner_id") WHERE due_at is not null;