DROP INDEX "outgoing_mark";--> statement-breakpoint
CREATE UNIQUE INDEX "outgoing_mark" ON "outgoing_messages" USING btree ("notice_id","mark") WHERE mark is not null;