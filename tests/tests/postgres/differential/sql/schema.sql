-- The tables of all variants. A statement ends with the semicolon at the end of its line.
CREATE EXTENSION hstore;
CREATE EXTENSION citext;
CREATE EXTENSION ltree;
CREATE EXTENSION isn;

CREATE TABLE public.done (step int PRIMARY KEY, marker text NOT NULL);

CREATE SCHEMA inv;
CREATE TYPE inv.mood AS ENUM ('sad', 'ok', 'very happy');
CREATE TYPE inv.pair AS (a int, b text);
CREATE DOMAIN inv.positive AS numeric(8, 3) CHECK (VALUE > 0);
CREATE DOMAIN inv.small_positive AS inv.positive CHECK (VALUE < 100);
CREATE DOMAIN inv.code AS varchar(7);

CREATE TABLE inv.customers (id serial PRIMARY KEY, first_name varchar(255) NOT NULL, last_name varchar(255) NOT NULL DEFAULT 'unknown', email varchar(100) UNIQUE, balance numeric(12, 2) NOT NULL DEFAULT 0.00, note text, created timestamptz DEFAULT now(), mood inv.mood DEFAULT 'ok');
CREATE TABLE inv.ri_full (id int PRIMARY KEY, name text, amount numeric(10, 2), active boolean NOT NULL DEFAULT true);
ALTER TABLE inv.ri_full REPLICA IDENTITY FULL;
CREATE TABLE inv.ri_nothing (id int PRIMARY KEY, name text);
ALTER TABLE inv.ri_nothing REPLICA IDENTITY NOTHING;
CREATE TABLE inv.ri_index (id int PRIMARY KEY, code text NOT NULL, name text);
CREATE UNIQUE INDEX ri_index_code ON inv.ri_index (code);
ALTER TABLE inv.ri_index REPLICA IDENTITY USING INDEX ri_index_code;
CREATE TABLE inv.composite (a int, b text, c uuid, v text, PRIMARY KEY (b, a));
CREATE TABLE inv.nopk_full (a int, b text NOT NULL, c numeric);
ALTER TABLE inv.nopk_full REPLICA IDENTITY FULL;
CREATE TABLE inv.nopk (a int, b text);
CREATE TABLE inv.uniq_only (code text NOT NULL UNIQUE, v int);
ALTER TABLE inv.uniq_only REPLICA IDENTITY FULL;
CREATE TABLE inv.two_uniq (v int, zeta int, alpha text, UNIQUE (zeta), UNIQUE (alpha, v));
ALTER TABLE inv.two_uniq REPLICA IDENTITY FULL;
CREATE TABLE inv.expr_uniq (v text, w int);
CREATE UNIQUE INDEX expr_uniq_lower ON inv.expr_uniq (lower(v));
ALTER TABLE inv.expr_uniq REPLICA IDENTITY FULL;
CREATE TABLE inv."Weird Table-Näme" ("Id Col" int PRIMARY KEY, "väl-ue" text, "select" int, "with.dot" text);
CREATE TABLE inv.gen_cols (id int PRIMARY KEY, w int, h int, area int GENERATED ALWAYS AS (w * h) STORED, note text);
CREATE TABLE inv.ident_cols (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
CREATE UNLOGGED TABLE inv.unlogged (id int PRIMARY KEY, v text);
CREATE TABLE inv.trunc_a (id int PRIMARY KEY, v text);
CREATE TABLE inv.trunc_b (id int PRIMARY KEY, a int REFERENCES inv.trunc_a (id));
CREATE VIEW inv.customer_names AS SELECT id, first_name FROM inv.customers;
CREATE MATERIALIZED VIEW inv.customer_count AS SELECT count(*) FROM inv.customers;
CREATE TABLE inv.empty_tbl (id int PRIMARY KEY, v text);
CREATE TABLE inv.uuid_key (id uuid PRIMARY KEY, v text);
CREATE TABLE inv.time_key (at timestamptz, d date, n numeric(6, 2), v text, PRIMARY KEY (at, d, n));

CREATE SCHEMA types;
CREATE TABLE types.numbers (id serial PRIMARY KEY, i2 smallint, i4 int, i8 bigint, f4 real, f8 double precision, n numeric, n_p numeric(10), n_ps numeric(10, 4), n_wide numeric(38, 10), n_neg numeric(3, -2), m money, b boolean, o oid);
CREATE TABLE types.strings (id serial PRIMARY KEY, c char(5), c1 char, bp bpchar, vc varchar(10), v varchar, t text, ci citext, n name, qc "char", x xml, u uuid, j json, jb jsonb, ts tsvector, lt ltree, isb isbn, en inv.mood);
CREATE TABLE types.temporal (id serial PRIMARY KEY, d date, t0 time(0), t3 time(3), t6 time, tz timetz, tz2 timetz(2), ts0 timestamp(0), ts1 timestamp(1), ts3 timestamp(3), ts4 timestamp(4), ts6 timestamp, tstz timestamptz, tstz0 timestamptz(0), tstz3 timestamptz(3), iv interval, iv0 interval(0), ivym interval year to month);
CREATE TABLE types.bits (id serial PRIMARY KEY, by bytea, b1 bit(1), b bit, b5 bit(5), b16 bit(16), vb1 varbit(1), vb12 varbit(12), vb varbit);
CREATE TABLE types.network (id serial PRIMARY KEY, i inet, c cidr, m macaddr, m8 macaddr8);
CREATE TABLE types.ranges (id serial PRIMARY KEY, r4 int4range, r8 int8range, rn numrange, rts tsrange, rtz tstzrange, rd daterange, mr int4multirange);
CREATE TABLE types.geo (id serial PRIMARY KEY, p point, l line, ls lseg, bx box, pa path, pg polygon, ci circle);
CREATE TABLE types.hs (id serial PRIMARY KEY, h hstore, ha hstore[]);
CREATE TABLE types.domains (id serial PRIMARY KEY, p inv.positive, sp inv.small_positive, c inv.code, cs inv.code[]);
CREATE TABLE types.odd (id serial PRIMARY KEY, q tsquery, l pg_lsn, p inv.pair, x xid, s txid_snapshot, rc regclass, v int);
CREATE TABLE types.arrays (id serial PRIMARY KEY, i2 smallint[], i4 int[], i8 bigint[], o oid[], f4 real[], f8 double precision[], n numeric[], nps numeric(5, 2)[], b boolean[], t text[], vc varchar(4)[], c char(3)[], d date[], tm time[], tm3 time(3)[], tz timetz[], ts timestamp[], ts3 timestamp(3)[], tstz timestamptz[], u uuid[], j json[], jb jsonb[], ne inet[], ci cidr[], ma macaddr[], m8 macaddr8[], r4 int4range[], rd daterange[], by bytea[], en inv.mood[], cit citext[], lt ltree[]);
CREATE TABLE types.arrays_odd (id serial PRIMARY KEY, m money[], iv interval[], vb varbit[], x xml[], p point[], na name[], bi bit(3)[], isb isbn[], q tsquery[], cp inv.pair[], v int);
CREATE TABLE types.required (id serial PRIMARY KEY, i2 smallint NOT NULL, i4 int NOT NULL, i8 bigint NOT NULL, f4 real NOT NULL, f8 double precision NOT NULL, nps numeric(10, 4) NOT NULL, n numeric NOT NULL, m money NOT NULL, b boolean NOT NULL, c char(5) NOT NULL, t text NOT NULL, x xml NOT NULL, u uuid NOT NULL, j json NOT NULL, jb jsonb NOT NULL, d date NOT NULL, t3 time(3) NOT NULL, t6 time NOT NULL, tz timetz NOT NULL, ts3 timestamp(3) NOT NULL, ts6 timestamp NOT NULL, tstz timestamptz NOT NULL, iv interval NOT NULL, by bytea NOT NULL, b1 bit(1) NOT NULL, b5 bit(5) NOT NULL, ne inet NOT NULL, ma macaddr NOT NULL, r4 int4range NOT NULL, p point NOT NULL, h hstore NOT NULL, en inv.mood NOT NULL, ci citext NOT NULL, lt ltree NOT NULL, ia int[] NOT NULL, ta text[] NOT NULL);
CREATE TABLE types.defaults (id bigserial PRIMARY KEY, i2 smallint DEFAULT 7, i4 int DEFAULT -12, i8 bigint DEFAULT 12345678901, ie int DEFAULT 1 + 2, f4 real DEFAULT 1.5, f8 double precision DEFAULT '2.25'::double precision, n numeric DEFAULT 1.10, nps numeric(10, 4) DEFAULT 3.14, m money DEFAULT '1.50'::money, bt boolean DEFAULT true, bf boolean DEFAULT false, t text DEFAULT 'a ''quoted'' text', te text DEFAULT '', vc varchar(10) DEFAULT 'abc', c char(5) DEFAULT 'ab', tc text DEFAULT 'x' || 'y', tu text DEFAULT current_user, tf text DEFAULT upper('f'), tn text DEFAULT NULL, nn text NOT NULL DEFAULT 'required', d date DEFAULT '2024-02-29', dn date DEFAULT current_date, t3 time(3) DEFAULT '01:02:03.004', t6 time DEFAULT '01:02:03.000004', tz timetz DEFAULT '01:02:03+01', ts3 timestamp(3) DEFAULT '2024-02-29 01:02:03.004', ts6 timestamp DEFAULT '2024-02-29 01:02:03.000004', tsn timestamp DEFAULT now(), tstz timestamptz DEFAULT '2024-02-29 01:02:03.5+00', tstn timestamptz DEFAULT now(), iv interval DEFAULT '1 day 02:03:04', u uuid DEFAULT '11111111-2222-3333-4444-555555555555', ug uuid DEFAULT gen_random_uuid(), j json DEFAULT '{"a": 1}', jb jsonb DEFAULT '{"b": [2]}', jf jsonb DEFAULT jsonb_build_object('k', 1), x xml DEFAULT '<a/>', b1 bit(1) DEFAULT B'1', b5 bit(5) DEFAULT B'10100', vb varbit(6) DEFAULT B'101', by bytea DEFAULT '\x0102', ne inet DEFAULT '10.0.0.1', p point DEFAULT '(1,2)', h hstore DEFAULT 'a=>1', ia int[] DEFAULT '{1,2}', en inv.mood DEFAULT 'sad', dm inv.positive DEFAULT 5, ci citext DEFAULT 'Ci', lt ltree DEFAULT 'a.b', r4 int4range DEFAULT '[1,5)', o oid DEFAULT 42);

COMMENT ON TABLE types.numbers IS 'a comment';
COMMENT ON COLUMN types.numbers.i4 IS 'another comment';

CREATE SCHEMA part;
CREATE TABLE part.events (id int, region text NOT NULL, v text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE part.events_eu PARTITION OF part.events FOR VALUES IN ('eu');
CREATE TABLE part.events_us PARTITION OF part.events FOR VALUES IN ('us');

CREATE SCHEMA toast;
CREATE TABLE toast.docs (id int PRIMARY KEY, small int, t text, vc varchar, x xml, j json, jb jsonb, by bytea, ta text[], va varchar[], ja jsonb[], bya bytea[], ia int[], la bigint[], da date[], ua uuid[], h hstore, na numeric[], fa double precision[], ci citext, rn text NOT NULL);
CREATE TABLE toast.docs_full (id int PRIMARY KEY, small int, t text, by bytea, ta text[], jb jsonb);
ALTER TABLE toast.docs_full REPLICA IDENTITY FULL;
CREATE TABLE toast.nopk (small int, t text);
ALTER TABLE toast.nopk REPLICA IDENTITY FULL;
CREATE TABLE toast.kept (id int PRIMARY KEY, small int, t text, by bytea, ta text[], jb jsonb, n text);

CREATE SCHEMA ddl;
CREATE TABLE ddl.evolving (id int PRIMARY KEY, a text, b int NOT NULL DEFAULT 5);
CREATE TABLE ddl.rekeyed (id int NOT NULL, code text NOT NULL, v int);
ALTER TABLE ddl.rekeyed ADD PRIMARY KEY (id);
ALTER TABLE ddl.rekeyed REPLICA IDENTITY FULL;
CREATE TABLE ddl.retyped (id int PRIMARY KEY, a int DEFAULT 1, b varchar(5) NOT NULL, r int[], d numeric(4, 1) DEFAULT 2.5);

CREATE SCHEMA bulk;
CREATE TABLE bulk.rows (id int PRIMARY KEY, v text, n numeric(10, 2));

CREATE SCHEMA outbox;
CREATE TABLE outbox.events (id uuid PRIMARY KEY, aggregatetype text NOT NULL, aggregateid text NOT NULL, type text NOT NULL, payload jsonb);

CREATE SCHEMA odd;
CREATE TABLE odd.required (id int PRIMARY KEY, n numeric NOT NULL, v text);

CREATE SCHEMA other;
CREATE TABLE other.ignored (id serial PRIMARY KEY, v text);
-- Long values are stored out of line, and not made short before.
DO 'DECLARE c record; BEGIN FOR c IN SELECT attrelid::regclass AS r, attname FROM pg_attribute WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = ''toast''::regnamespace AND relkind = ''r'') AND attnum > 0 AND attstorage IN (''x'', ''m'') LOOP EXECUTE format(''ALTER TABLE %s ALTER COLUMN %I SET STORAGE EXTERNAL'', c.r, c.attname); END LOOP; END';
