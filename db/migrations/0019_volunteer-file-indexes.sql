CREATE INDEX "volunteer_keeps_file" ON "volunteer_keeps" USING btree ("file_id");--> statement-breakpoint
CREATE INDEX "volunteer_mentors_file" ON "volunteer_mentors" USING btree ("file_id");