-- Changes while all connectors stream. `--@barrier`: everything up to here has to arrive before the next
-- statement, as the reference reads the catalog only when it comes to a change. `--@other`: the next
-- statement is another session's.

-- Inserts, updates and deletes under every replica identity.
INSERT INTO inv.customers (first_name, last_name, email) VALUES ('Anne', 'Kretchmar', 'annek@example.com');
UPDATE inv.customers SET first_name = 'Annie' WHERE first_name = 'Anne';
UPDATE inv.customers SET note = note;
UPDATE inv.customers SET created = null WHERE id = 2;
DELETE FROM inv.customers WHERE id = 3;
INSERT INTO inv.ri_full VALUES (3, 'three', 3.3, true);
UPDATE inv.ri_full SET name = 'drei', amount = null WHERE id = 3;
UPDATE inv.ri_full SET name = name WHERE id = 1;
DELETE FROM inv.ri_full WHERE id = 3;
INSERT INTO inv.ri_nothing VALUES (2, 'two');
UPDATE inv.ri_index SET name = 'eins' WHERE id = 1;
UPDATE inv.ri_index SET code = 'c1-new' WHERE id = 1;
UPDATE inv.ri_index SET id = 20 WHERE id = 2;
DELETE FROM inv.ri_index WHERE id = 3;
INSERT INTO inv.nopk_full VALUES (2, 'y', 2.50);
UPDATE inv.nopk_full SET c = 3 WHERE a = 2;
DELETE FROM inv.nopk_full WHERE a = 2;
INSERT INTO inv.nopk VALUES (2, null);
INSERT INTO inv.uniq_only VALUES ('c', 3);
UPDATE inv.uniq_only SET v = 4 WHERE code = 'c';
UPDATE inv.uniq_only SET code = 'd' WHERE code = 'c';
DELETE FROM inv.uniq_only WHERE code = 'd';
INSERT INTO inv.two_uniq VALUES (3, 4, 'y');
UPDATE inv.two_uniq SET zeta = 5 WHERE v = 3;
UPDATE inv.two_uniq SET alpha = 'z', v = 4 WHERE v = 3;
DELETE FROM inv.two_uniq WHERE v = 4;
INSERT INTO inv.expr_uniq VALUES ('W', 2);
UPDATE inv.expr_uniq SET w = 3 WHERE v = 'W';
INSERT INTO inv."Weird Table-Näme" VALUES (2, 'y', 3, null);
UPDATE inv."Weird Table-Näme" SET "väl-ue" = 'z' WHERE "Id Col" = 2;
DELETE FROM inv."Weird Table-Näme" WHERE "Id Col" = 2;
INSERT INTO inv.gen_cols (id, w, h, note) VALUES (2, 4, 5, 'n');
UPDATE inv.gen_cols SET w = 6 WHERE id = 2;
DELETE FROM inv.gen_cols WHERE id = 1;
INSERT INTO inv.ident_cols (v) VALUES ('two');
INSERT INTO inv.unlogged VALUES (2, 'y');
INSERT INTO inv.uuid_key VALUES ('b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'y');
DELETE FROM inv.uuid_key;
INSERT INTO inv.time_key VALUES ('2024-03-16 00:00+00', '2024-03-16', 1, 'y');
DELETE FROM inv.time_key WHERE n = 1;

-- Keys that change.
UPDATE inv.customers SET id = 1001 WHERE id = 1;
UPDATE inv.ri_full SET id = 101 WHERE id = 1;
INSERT INTO inv.composite VALUES (3, 'y', null, 'v');
UPDATE inv.composite SET a = 33, v = 'w' WHERE a = 3;
UPDATE inv.composite SET v = 'z' WHERE a = 33;
DELETE FROM inv.composite WHERE a = 33;

-- Transactions: of several tables, empty, rolled back, with savepoints, one inside another's time.
BEGIN;
INSERT INTO inv.customers (id, first_name) VALUES (2001, 'T1');
INSERT INTO inv.ri_full VALUES (2001, 'T1', 1, true);
UPDATE inv.customers SET last_name = 'in transaction' WHERE id = 2001;
INSERT INTO inv.composite VALUES (2001, 't', null, null);
INSERT INTO other.ignored (v) VALUES ('in transaction');
DELETE FROM inv.customers WHERE id = 2001;
COMMIT;
BEGIN;
INSERT INTO inv.customers (id, first_name) VALUES (2002, 'rolled back');
ROLLBACK;
BEGIN;
INSERT INTO inv.customers (id, first_name) VALUES (2003, 'kept');
SAVEPOINT one;
INSERT INTO inv.customers (id, first_name) VALUES (2004, 'rolled back');
ROLLBACK TO one;
INSERT INTO inv.customers (id, first_name) VALUES (2005, 'kept as well');
SAVEPOINT two;
UPDATE inv.customers SET first_name = 'of a subtransaction' WHERE id = 2003;
COMMIT;
INSERT INTO other.ignored (v) VALUES ('nobody listens');
BEGIN;
INSERT INTO inv.customers (id, first_name) VALUES (2010, 'began first');
--@other
BEGIN;
--@other
INSERT INTO inv.customers (id, first_name) VALUES (2011, 'committed first');
INSERT INTO inv.ri_full VALUES (2010, 'began first', 1, true);
--@other
COMMIT;
COMMIT;

-- Truncates.
TRUNCATE inv.trunc_a, inv.trunc_b;
INSERT INTO inv.trunc_a VALUES (5, 'e');
TRUNCATE inv.trunc_a CASCADE;
TRUNCATE inv.nopk RESTART IDENTITY;
TRUNCATE other.ignored;

-- Logical messages.
SELECT pg_logical_emit_message(true, 'app', 'transactional');
SELECT pg_logical_emit_message(false, 'app', 'not transactional');
SELECT pg_logical_emit_message(true, 'audit', '\x00ff'::bytea);
SELECT pg_logical_emit_message(true, '', '');
BEGIN;
INSERT INTO inv.customers (id, first_name) VALUES (2020, 'before a message');
SELECT pg_logical_emit_message(true, 'app', 'inside');
SELECT pg_logical_emit_message(false, 'audit', 'at once');
UPDATE inv.customers SET first_name = 'after a message' WHERE id = 2020;
COMMIT;

-- Changes that came from elsewhere.
SELECT pg_replication_origin_create('elsewhere');
SELECT pg_replication_origin_session_setup('elsewhere');
BEGIN;
SELECT pg_replication_origin_xact_setup('0/1234', '2024-01-01 00:00+00');
INSERT INTO inv.customers (id, first_name) VALUES (2030, 'from elsewhere');
COMMIT;
SELECT pg_replication_origin_session_reset();
INSERT INTO inv.customers (id, first_name) VALUES (2031, 'from here');

-- Partitions.
INSERT INTO part.events VALUES (4, 'eu', 'd'), (5, 'us', 'e');
UPDATE part.events SET v = 'f' WHERE id = 4;
UPDATE part.events SET region = 'us' WHERE id = 4;
UPDATE part.events SET id = 50 WHERE id = 5;
DELETE FROM part.events WHERE id = 1;
CREATE TABLE part.events_as PARTITION OF part.events FOR VALUES IN ('as');
INSERT INTO part.events VALUES (6, 'as', 'g');
TRUNCATE part.events_us;

-- Values out of line.
INSERT INTO toast.docs VALUES (1, 1, repeat('t', 2500), repeat('v', 2500), xmlparse(content '<a>' || repeat('x', 2500) || '</a>'), ('{"j":"' || repeat('j', 2500) || '"}')::json, ('{"b":"' || repeat('b', 2500) || '"}')::jsonb, decode(repeat('ab', 2500), 'hex'), ARRAY[repeat('t', 2500)], ARRAY[repeat('v', 2500)], ARRAY[('{"b":"' || repeat('b', 2500) || '"}')::jsonb], ARRAY[decode(repeat('cd', 2500), 'hex')], array_fill(7, ARRAY[700]), array_fill(8::bigint, ARRAY[350]), array_fill('2024-01-02'::date, ARRAY[700]), array_fill('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, ARRAY[160]), hstore('k', repeat('h', 2500)), array_fill(1.25, ARRAY[300]), array_fill(2.5::float8, ARRAY[350]), repeat('C', 2500), repeat('n', 2500));
UPDATE toast.docs SET small = 2 WHERE id = 1;
UPDATE toast.docs SET t = 'short now' WHERE id = 1;
UPDATE toast.docs SET id = 2 WHERE id = 1;
DELETE FROM toast.docs WHERE id = 2;
INSERT INTO toast.docs_full VALUES (1, 1, repeat('t', 2500), decode(repeat('ab', 2500), 'hex'), ARRAY[repeat('a', 2500)], ('{"b":"' || repeat('b', 2500) || '"}')::jsonb);
UPDATE toast.docs_full SET small = 2 WHERE id = 1;
DELETE FROM toast.docs_full WHERE id = 1;
INSERT INTO toast.nopk VALUES (1, repeat('t', 2500));
UPDATE toast.nopk SET small = 2;
-- Rows that keep their values, so that it does not matter when these are read anew.
UPDATE toast.kept SET small = 2 WHERE id = 1;
INSERT INTO toast.kept SELECT 2, small, t, by, ta, jb FROM toast.kept WHERE id = 1;
UPDATE toast.kept SET small = 3;

-- Deletes and updates of rows of every type, with NOT NULL columns that the old row does not tell.
UPDATE types.required SET i4 = i4 + 1;
UPDATE types.required SET id = id + 100 WHERE id = 1;
DELETE FROM types.required;
UPDATE types.defaults SET i4 = 99 WHERE id = 1;
DELETE FROM types.defaults WHERE id = 1;
DELETE FROM types.numbers WHERE id <= 2;
DELETE FROM types.arrays WHERE id = 1;

-- Rows that fail.
INSERT INTO odd.required VALUES (11, 'NaN', 'f'), (12, 12, 'g');
UPDATE odd.required SET n = 'NaN' WHERE id = 12;
UPDATE odd.required SET id = 13 WHERE id = 12;
UPDATE odd.required SET n = 13 WHERE id = 13;
UPDATE odd.required SET id = 14 WHERE id = 13;
DELETE FROM odd.required;

-- The outbox.
INSERT INTO outbox.events VALUES ('00000000-0000-0000-0000-000000000002', 'customer', 'c-2', 'created', '{"name": "x", "n": 1}');
INSERT INTO outbox.events VALUES ('00000000-0000-0000-0000-000000000003', 'order', 'o-3', 'cancelled', null);
DELETE FROM outbox.events WHERE aggregateid = 'c-2';

-- A larger transaction.
INSERT INTO bulk.rows SELECT g, 'row ' || g, g / 4.0 FROM generate_series(1001, 2500) AS g;
BEGIN;
UPDATE bulk.rows SET v = 'changed' WHERE id % 4 = 0;
DELETE FROM bulk.rows WHERE id % 5 = 0;
COMMIT;

-- Tables that change while they are streamed.
--@barrier
ALTER TABLE ddl.evolving ADD COLUMN c text DEFAULT 'new';
INSERT INTO ddl.evolving VALUES (2, 'two', 2, 'c');
UPDATE ddl.evolving SET a = 'eins' WHERE id = 1;
ALTER TABLE ddl.rekeyed DROP CONSTRAINT rekeyed_pkey;
ALTER TABLE ddl.rekeyed ADD PRIMARY KEY (code);
INSERT INTO ddl.rekeyed VALUES (2, 'two', 2);
UPDATE ddl.rekeyed SET code = 'three' WHERE id = 2;
CREATE TABLE inv.late (id int PRIMARY KEY, v text);
INSERT INTO inv.late VALUES (1, 'x');
--@barrier
ALTER TABLE ddl.evolving RENAME COLUMN a TO renamed;
INSERT INTO ddl.evolving VALUES (3, 'three', 3, null);
ALTER TABLE inv.customers ADD COLUMN phone varchar(20);
UPDATE inv.customers SET phone = '555' WHERE id = 2;
--@barrier
ALTER TABLE ddl.evolving ALTER COLUMN b TYPE bigint;
ALTER TABLE ddl.evolving DROP COLUMN c;
UPDATE ddl.evolving SET b = 30000000000 WHERE id = 3;
ALTER TYPE inv.mood ADD VALUE 'new mood';
--@barrier
INSERT INTO inv.customers (id, first_name, mood) VALUES (3001, 'New', 'new mood');
ALTER TABLE ddl.evolving ALTER COLUMN b DROP NOT NULL;
ALTER TABLE ddl.evolving ALTER COLUMN b SET DEFAULT 77;
UPDATE ddl.evolving SET b = null WHERE id = 3;
--@barrier
ALTER TABLE ddl.evolving REPLICA IDENTITY FULL;
UPDATE ddl.evolving SET renamed = 'full' WHERE id = 3;
DELETE FROM ddl.evolving WHERE id = 3;
ALTER TABLE inv.customers DROP COLUMN note;
DELETE FROM inv.customers WHERE id = 3001;
--@barrier
ALTER TABLE ddl.evolving ADD COLUMN d numeric(5, 2) DEFAULT 1.25;
INSERT INTO ddl.evolving (id, renamed, d) VALUES (4, 'four', 4.5);
ALTER TYPE inv.mood RENAME VALUE 'ok' TO 'fine';
INSERT INTO inv.customers (id, first_name) VALUES (3002, 'Fine');
CREATE TABLE part.events_af (LIKE part.events INCLUDING ALL);
INSERT INTO part.events_af VALUES (7, 'af', 'h');
ALTER TABLE part.events ATTACH PARTITION part.events_af FOR VALUES IN ('af');
INSERT INTO part.events VALUES (8, 'af', 'i');
--@barrier
ALTER TABLE ddl.evolving ALTER COLUMN d TYPE numeric(8, 4);
ALTER TABLE ddl.evolving RENAME TO evolved;
UPDATE ddl.evolved SET d = 4.0625 WHERE id = 4;
ALTER TABLE part.events DETACH PARTITION part.events_eu;
INSERT INTO part.events_eu VALUES (9, 'eu', 'j');
DROP TABLE ddl.rekeyed;
CREATE TABLE ddl.rekeyed (name text PRIMARY KEY, id bigint);
INSERT INTO ddl.rekeyed VALUES ('new', 1);
CREATE TYPE ddl.fresh AS ENUM ('x', 'y');
CREATE DOMAIN ddl.short AS varchar(3);
ALTER TABLE ddl.retyped ADD COLUMN f ddl.fresh DEFAULT 'x', ADD COLUMN s ddl.short, ADD COLUMN fs ddl.fresh[];
ALTER TABLE ddl.retyped ALTER COLUMN a DROP DEFAULT, ALTER COLUMN a TYPE text, ALTER COLUMN b TYPE varchar(20), ALTER COLUMN r TYPE bigint[], ALTER COLUMN d TYPE numeric;
INSERT INTO ddl.retyped VALUES (2, 'two', 'longer than five', '{2,3}', 1.75, 'y', 'abc', '{x,y}');
UPDATE ddl.retyped SET s = 'z' WHERE id = 1;
--@barrier
ALTER TABLE ddl.retyped DROP CONSTRAINT retyped_pkey;
ALTER TABLE ddl.retyped ADD COLUMN twice int GENERATED ALWAYS AS (id * 2) STORED;
INSERT INTO ddl.retyped (id, b) VALUES (3, 'no key');
--@barrier
ALTER TABLE ddl.retyped ADD CONSTRAINT retyped_b UNIQUE (b, id);
ALTER TABLE ddl.retyped ALTER COLUMN id SET NOT NULL;
ALTER TABLE ddl.retyped REPLICA IDENTITY USING INDEX retyped_b;
UPDATE ddl.retyped SET b = 'unique' WHERE id = 3;
DELETE FROM ddl.retyped WHERE id = 2;
