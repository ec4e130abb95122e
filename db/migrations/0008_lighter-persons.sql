DROP INDEX "persons_wechat";--> statement-breakpoint
CREATE INDEX "persons_wechat" ON "persons" USING btree ("wechat_index") WHERE wechat_index is not null;