CREATE TABLE "coached_owners" (
	"person_id" bigint PRIMARY KEY NOT NULL,
	"told_at" timestamp (3) with time zone,
	"off_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "coached_owners" ADD CONSTRAINT "coached_owners_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;