ALTER TABLE "slips" ADD COLUMN "copy_to_id" bigint;--> statement-breakpoint
ALTER TABLE "slips" ADD CONSTRAINT "slips_copy_to_id_persons_id_fk" FOREIGN KEY ("copy_to_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "slips_copy" ON "slips" USING btree ("copy_to_id") WHERE copy_to_id is not null;