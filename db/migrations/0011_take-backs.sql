CREATE TABLE "take_backs" (
	"outgoing_id" bigint NOT NULL,
	"notice_id" bigint NOT NULL,
	"outcome" text,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp (3) with time zone NOT NULL,
	"reason" text,
	"settled_at" timestamp (3) with time zone,
	CONSTRAINT "take_backs_notice_id_outgoing_id_pk" PRIMARY KEY("notice_id","outgoing_id")
);
--> statement-breakpoint
ALTER TABLE "outgoing_messages" ADD COLUMN "recall_ids" jsonb;--> statement-breakpoint
ALTER TABLE "take_backs" ADD CONSTRAINT "take_backs_outgoing_id_outgoing_messages_id_fk" FOREIGN KEY ("outgoing_id") REFERENCES "public"."outgoing_messages"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "take_backs" ADD CONSTRAINT "take_backs_notice_id_notices_id_fk" FOREIGN KEY ("notice_id") REFERENCES "public"."notices"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "take_backs_message" ON "take_backs" USING btree ("outgoing_id");--> statement-breakpoint
CREATE INDEX "take_backs_open" ON "take_backs" USING btree ("next_attempt_at") WHERE settled_at is null;