-- Rows that are there before the connectors start, besides those of every type.
INSERT INTO public.done VALUES (0, 'step 0 is reached');
INSERT INTO inv.customers (first_name, last_name, email, balance, note) VALUES ('Sally', 'Thomas', 'sally@example.com', 10.50, null), ('George', 'Bailey', 'george@example.com', -3, 'note'), ('Edward', 'Walker', null, 0, '');
INSERT INTO inv.customers (first_name, created, mood) VALUES ('Null', null, null);
INSERT INTO inv.ri_full VALUES (1, 'one', 1.10, true), (2, null, null, false);
INSERT INTO inv.ri_nothing VALUES (1, 'one');
INSERT INTO inv.ri_index VALUES (1, 'c1', 'one'), (2, 'c2', 'two'), (3, 'c3', 'three');
INSERT INTO inv.composite VALUES (1, 'x', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'v'), (2, 'x', null, null);
INSERT INTO inv.nopk_full VALUES (1, 'x', 1.5), (null, '', null);
INSERT INTO inv.nopk VALUES (1, 'x'), (1, 'x');
INSERT INTO inv.uniq_only VALUES ('a', 1), ('b', null);
INSERT INTO inv.two_uniq VALUES (1, 2, 'x'), (2, 3, null);
INSERT INTO inv.expr_uniq VALUES ('V', 1);
INSERT INTO inv."Weird Table-Näme" VALUES (1, 'x', 2, 'dot');
INSERT INTO inv.gen_cols (id, w, h) VALUES (1, 2, 3);
INSERT INTO inv.ident_cols (v) VALUES ('one');
INSERT INTO inv.unlogged VALUES (1, 'x');
INSERT INTO inv.trunc_a VALUES (1, 'a'), (2, 'b');
INSERT INTO inv.trunc_b VALUES (1, 1);
INSERT INTO inv.uuid_key VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'x');
INSERT INTO inv.time_key VALUES ('2024-03-15 13:14:15.123456+02', '2024-03-15', 12.5, 'x');
INSERT INTO part.events VALUES (1, 'eu', 'a'), (2, 'us', 'b'), (3, 'eu', 'c');
INSERT INTO ddl.evolving VALUES (1, 'one', 1);
INSERT INTO ddl.rekeyed VALUES (1, 'one', 1);
INSERT INTO ddl.retyped VALUES (1, 1, 'one', '{1}');
INSERT INTO toast.kept VALUES (1, 1, repeat('t', 2500), decode(repeat('ab', 2500), 'hex'), ARRAY[repeat('a', 2500)], ('{"b":"' || repeat('b', 2500) || '"}')::jsonb);
INSERT INTO bulk.rows SELECT g, 'row ' || g, g / 4.0 FROM generate_series(1, 300) AS g;
INSERT INTO outbox.events VALUES ('00000000-0000-0000-0000-000000000001', 'order', 'o-1', 'created', '{"id": 1}');
INSERT INTO other.ignored (v) VALUES ('x');
-- Not a number may not be null: such rows fail.
INSERT INTO odd.required VALUES (1, 'NaN', 'a'), (2, 2, 'b'), (3, 'NaN', 'c'), (4, 4, 'd'), (5, 'NaN', 'e');
-- Row counts are those of the statistics.
ANALYZE;
