DROP INDEX "registrations_unit";--> statement-breakpoint
DROP INDEX "groups_unit";--> statement-breakpoint
CREATE INDEX "registrations_counted" ON "registrations" USING btree ("unit_id","occupation","registered_at");--> statement-breakpoint
CREATE INDEX "groups_unit" ON "groups" USING btree ("unit_id","created_at","dissolved_at");