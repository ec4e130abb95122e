CREATE TABLE "roster_stagings" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "roster_stagings_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"draft_id" bigint,
	"facts" jsonb,
	"difference" jsonb,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contact_asks" (
	"person_id" bigint NOT NULL,
	"office_id" bigint NOT NULL,
	"ask_of" date NOT NULL,
	"asked_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "contact_asks_person_id_office_id_ask_of_pk" PRIMARY KEY("person_id","office_id","ask_of")
);
--> statement-breakpoint
CREATE TABLE "contact_visits" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "contact_visits_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"person_id" bigint NOT NULL,
	"unit_id" bigint NOT NULL,
	"visited_on" date NOT NULL,
	"place" text,
	"note" text,
	"entered_by" bigint NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contacts" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "contacts_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"person_id" bigint NOT NULL,
	"office_id" bigint NOT NULL,
	"unit_id" bigint NOT NULL,
	"since_on" date NOT NULL,
	"until_on" date,
	"assigned_by" bigint NOT NULL,
	"ended_by" text
);
--> statement-breakpoint
CREATE TABLE "roll_call_answers" (
	"roll_call_id" bigint NOT NULL,
	"person_id" bigint NOT NULL,
	"known_by" text NOT NULL,
	"answered_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "roll_call_answers_roll_call_id_person_id_pk" PRIMARY KEY("roll_call_id","person_id")
);
--> statement-breakpoint
CREATE TABLE "roll_calls" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "roll_calls_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"group_id" bigint NOT NULL,
	"token_index" text NOT NULL,
	"token_sealed" text NOT NULL,
	"opened_by" bigint NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"closes_at" timestamp (3) with time zone NOT NULL,
	"closed_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "hand_over_items" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "hand_over_items_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"hand_over_id" bigint NOT NULL,
	"kind" text NOT NULL,
	"is_by_hand" boolean NOT NULL,
	"group_id" bigint,
	"count" integer NOT NULL,
	"done_at" timestamp (3) with time zone,
	"done_by" bigint
);
--> statement-breakpoint
CREATE TABLE "hand_overs" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "hand_overs_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"unit_id" bigint NOT NULL,
	"from_id" bigint NOT NULL,
	"to_id" bigint,
	"status" text NOT NULL,
	"import_id" bigint,
	"started_by" bigint,
	"due_on" date NOT NULL,
	"asked_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"started_at" timestamp (3) with time zone,
	"closed_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "join_decisions" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "join_decisions_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"request_id" bigint NOT NULL,
	"step" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"actor_id" bigint,
	"person_id" bigint,
	"unit_id" bigint,
	"reason" text NOT NULL,
	"note_sealed" text,
	"seen" jsonb NOT NULL,
	"effects" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sent_cards" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "sent_cards_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"task_id" text NOT NULL,
	"about_kind" text NOT NULL,
	"about_id" bigint NOT NULL,
	"address" text NOT NULL,
	"response_code" text,
	"sent_at" timestamp (3) with time zone NOT NULL,
	"closed_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "erasures" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "erasures_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"person_id" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"why" text NOT NULL,
	"by_id" bigint,
	"kinds" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "key_rotations" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "key_rotations_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"key_name" text NOT NULL,
	"began_at" timestamp (3) with time zone NOT NULL,
	"done_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "followed_days" (
	"day" date PRIMARY KEY NOT NULL,
	"followed_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
DROP INDEX "tasks_open";--> statement-breakpoint
ALTER TABLE "tasks" ALTER COLUMN "group_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "members_read_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "members_read_by" text;--> statement-breakpoint
ALTER TABLE "join_passes" ADD COLUMN "identity_id" bigint;--> statement-breakpoint
ALTER TABLE "join_passes" ADD COLUMN "used_by" text;--> statement-breakpoint
ALTER TABLE "join_passes" ADD COLUMN "expires_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "join_passes" ADD COLUMN "ended_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "join_passes" ADD COLUMN "ended_why" text;--> statement-breakpoint
ALTER TABLE "join_requests" ADD COLUMN "review_unit_id" bigint;--> statement-breakpoint
ALTER TABLE "join_requests" ADD COLUMN "escalate_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "join_requests" ADD COLUMN "awaits_room_since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "join_requests" ADD COLUMN "admitted_to" bigint;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "unit_id" bigint;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "about" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "source" text;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "asked_id" bigint;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "told_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "outgoing_messages" ADD COLUMN "card_sealed" text;--> statement-breakpoint
ALTER TABLE "roster_imports" ADD COLUMN "moved_count" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "contact_asks" ADD CONSTRAINT "contact_asks_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contact_asks" ADD CONSTRAINT "contact_asks_office_id_units_id_fk" FOREIGN KEY ("office_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contact_visits" ADD CONSTRAINT "contact_visits_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contact_visits" ADD CONSTRAINT "contact_visits_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contact_visits" ADD CONSTRAINT "contact_visits_entered_by_persons_id_fk" FOREIGN KEY ("entered_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contacts" ADD CONSTRAINT "contacts_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contacts" ADD CONSTRAINT "contacts_office_id_units_id_fk" FOREIGN KEY ("office_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contacts" ADD CONSTRAINT "contacts_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contacts" ADD CONSTRAINT "contacts_assigned_by_persons_id_fk" FOREIGN KEY ("assigned_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "roll_call_answers" ADD CONSTRAINT "roll_call_answers_roll_call_id_roll_calls_id_fk" FOREIGN KEY ("roll_call_id") REFERENCES "public"."roll_calls"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "roll_call_answers" ADD CONSTRAINT "roll_call_answers_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "roll_calls" ADD CONSTRAINT "roll_calls_group_id_groups_id_fk" FOREIGN KEY ("group_id") REFERENCES "public"."groups"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "roll_calls" ADD CONSTRAINT "roll_calls_opened_by_persons_id_fk" FOREIGN KEY ("opened_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hand_over_items" ADD CONSTRAINT "hand_over_items_hand_over_id_hand_overs_id_fk" FOREIGN KEY ("hand_over_id") REFERENCES "public"."hand_overs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hand_over_items" ADD CONSTRAINT "hand_over_items_group_id_groups_id_fk" FOREIGN KEY ("group_id") REFERENCES "public"."groups"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hand_over_items" ADD CONSTRAINT "hand_over_items_done_by_persons_id_fk" FOREIGN KEY ("done_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hand_overs" ADD CONSTRAINT "hand_overs_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hand_overs" ADD CONSTRAINT "hand_overs_from_id_persons_id_fk" FOREIGN KEY ("from_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hand_overs" ADD CONSTRAINT "hand_overs_to_id_persons_id_fk" FOREIGN KEY ("to_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hand_overs" ADD CONSTRAINT "hand_overs_import_id_roster_imports_id_fk" FOREIGN KEY ("import_id") REFERENCES "public"."roster_imports"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "hand_overs" ADD CONSTRAINT "hand_overs_started_by_persons_id_fk" FOREIGN KEY ("started_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "join_decisions" ADD CONSTRAINT "join_decisions_request_id_join_requests_id_fk" FOREIGN KEY ("request_id") REFERENCES "public"."join_requests"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "join_decisions" ADD CONSTRAINT "join_decisions_actor_id_persons_id_fk" FOREIGN KEY ("actor_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "join_decisions" ADD CONSTRAINT "join_decisions_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "join_decisions" ADD CONSTRAINT "join_decisions_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "erasures" ADD CONSTRAINT "erasures_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "erasures" ADD CONSTRAINT "erasures_by_id_persons_id_fk" FOREIGN KEY ("by_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "roster_stagings_draft" ON "roster_stagings" USING btree ("draft_id");--> statement-breakpoint
CREATE UNIQUE INDEX "contact_visits_once" ON "contact_visits" USING btree ("person_id","unit_id","visited_on");--> statement-breakpoint
CREATE INDEX "contact_visits_unit" ON "contact_visits" USING btree ("unit_id");--> statement-breakpoint
CREATE UNIQUE INDEX "contacts_current" ON "contacts" USING btree ("person_id","unit_id") WHERE until_on is null;--> statement-breakpoint
CREATE INDEX "contacts_unit" ON "contacts" USING btree ("unit_id");--> statement-breakpoint
CREATE INDEX "contacts_office" ON "contacts" USING btree ("office_id") WHERE until_on is null;--> statement-breakpoint
CREATE UNIQUE INDEX "roll_calls_token" ON "roll_calls" USING btree ("token_index");--> statement-breakpoint
CREATE UNIQUE INDEX "roll_calls_open" ON "roll_calls" USING btree ("group_id") WHERE closed_at is null;--> statement-breakpoint
CREATE INDEX "roll_calls_due" ON "roll_calls" USING btree ("closes_at") WHERE closed_at is null;--> statement-breakpoint
CREATE UNIQUE INDEX "hand_over_items_once" ON "hand_over_items" USING btree ("hand_over_id","kind",coalesce(group_id, 0));--> statement-breakpoint
CREATE UNIQUE INDEX "hand_overs_open" ON "hand_overs" USING btree ("unit_id","from_id") WHERE status in ('proposed', 'open');--> statement-breakpoint
CREATE INDEX "hand_overs_to" ON "hand_overs" USING btree ("to_id");--> statement-breakpoint
CREATE INDEX "hand_overs_due" ON "hand_overs" USING btree ("due_on") WHERE status in ('proposed', 'open');--> statement-breakpoint
CREATE INDEX "join_decisions_request" ON "join_decisions" USING btree ("request_id");--> statement-breakpoint
CREATE UNIQUE INDEX "sent_cards_task" ON "sent_cards" USING btree ("task_id");--> statement-breakpoint
CREATE INDEX "sent_cards_about" ON "sent_cards" USING btree ("about_kind","about_id");--> statement-breakpoint
CREATE INDEX "erasures_person" ON "erasures" USING btree ("person_id");--> statement-breakpoint
ALTER TABLE "join_passes" ADD CONSTRAINT "join_passes_identity_id_identities_id_fk" FOREIGN KEY ("identity_id") REFERENCES "public"."identities"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "join_requests" ADD CONSTRAINT "join_requests_review_unit_id_units_id_fk" FOREIGN KEY ("review_unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "join_requests" ADD CONSTRAINT "join_requests_admitted_to_groups_id_fk" FOREIGN KEY ("admitted_to") REFERENCES "public"."groups"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_asked_id_persons_id_fk" FOREIGN KEY ("asked_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "roster_person_changes_person" ON "roster_person_changes" USING btree ("person_id");--> statement-breakpoint
CREATE INDEX "group_members_unknown" ON "group_members" USING btree ("group_id") WHERE left_at is null and person_id is null;--> statement-breakpoint
CREATE INDEX "join_passes_person" ON "join_passes" USING btree ("person_id");--> statement-breakpoint
CREATE INDEX "join_passes_group" ON "join_passes" USING btree ("group_id") WHERE used_at is null and ended_at is null;--> statement-breakpoint
CREATE INDEX "join_passes_expiry" ON "join_passes" USING btree ("expires_at") WHERE used_at is null and ended_at is null;--> statement-breakpoint
CREATE INDEX "join_passes_to_delete" ON "join_passes" USING btree ("id") WHERE config_id is not null and (used_at is not null or ended_at is not null);--> statement-breakpoint
CREATE INDEX "join_requests_escalation" ON "join_requests" USING btree ("escalate_at") WHERE escalate_at is not null;--> statement-breakpoint
CREATE INDEX "join_requests_room" ON "join_requests" USING btree ("id") WHERE awaits_room_since is not null;--> statement-breakpoint
CREATE INDEX "join_requests_candidates" ON "join_requests" USING gin ("candidate_ids" jsonb_path_ops);--> statement-breakpoint
CREATE INDEX "tasks_of_unit" ON "tasks" USING btree ("unit_id") WHERE group_id is null;--> statement-breakpoint
CREATE INDEX "tasks_asked" ON "tasks" USING btree ("asked_id") WHERE closed_at is null;--> statement-breakpoint
CREATE INDEX "tasks_closed" ON "tasks" USING btree ("asked_id","closed_at") WHERE closed_at is not null;--> statement-breakpoint
CREATE INDEX "identities_union" ON "identities" USING btree ("union_id") WHERE union_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "tasks_open" ON "tasks" USING btree ("kind",coalesce(group_id, 0),coalesce(unit_id, 0),coalesce(person_id, 0),coalesce(address, ''),"about") WHERE closed_at is null;