//! What is measured: changes and rows of several kinds.

/// One case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// Inserts of rows of about 100 bytes, ten in a transaction.
    StreamSmallInserts,
    /// Updates of rows of fifty columns of many types, ten in a transaction.
    StreamWideUpdates,
    /// Inserts of small rows, all in one transaction.
    StreamHugeTransaction,
    /// Small rows that are there already.
    Snapshot,
}

/// Rows of one transaction, but for the huge one.
pub(crate) const TRANSACTION: u64 = 10;

impl Case {
    /// All cases.
    pub(crate) const ALL: [Self; 4] = [
        Self::StreamSmallInserts,
        Self::StreamWideUpdates,
        Self::StreamHugeTransaction,
        Self::Snapshot,
    ];

    /// The name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::StreamSmallInserts => "stream-small-inserts",
            Self::StreamWideUpdates => "stream-wide-updates",
            Self::StreamHugeTransaction => "stream-huge-transaction",
            Self::Snapshot => "snapshot",
        }
    }

    /// The table, as a name for topics as well.
    pub(crate) fn table(self) -> &'static str {
        match self {
            Self::StreamSmallInserts => "small",
            Self::StreamWideUpdates => "wide",
            Self::StreamHugeTransaction => "huge",
            Self::Snapshot => "rows",
        }
    }

    /// Events that go through before the measured ones, so that the virtual machine has compiled what it
    /// runs.
    pub(crate) fn warm_up(self) -> u64 {
        match self {
            Self::StreamWideUpdates => 50_000,
            _ => 300_000,
        }
    }

    /// Events that are measured.
    pub(crate) fn measured(self) -> u64 {
        match self {
            Self::StreamWideUpdates => 100_000,
            Self::Snapshot => 4_700_000,
            _ => 1_000_000,
        }
    }

    /// All events.
    pub(crate) fn events(self) -> u64 {
        self.warm_up() + self.measured()
    }

    /// Whether the events come while they are measured, and not all before: then their latency is
    /// measured as well.
    pub(crate) fn has_latency(self) -> bool {
        matches!(self, Self::StreamSmallInserts | Self::StreamWideUpdates)
    }

    /// Creates the table; rows that are updated later are put into it.
    pub(crate) fn create(self) -> String {
        let table = self.table();
        match self {
            Self::StreamWideUpdates => {
                let columns = (0..48).map(|number| {
                    let kind = match number % 8 {
                        0 => "int NOT NULL DEFAULT 7",
                        1 => "bigint DEFAULT 123456789012",
                        2 => "text DEFAULT 'some text of a row'",
                        3 => "numeric(12, 2) DEFAULT 1234.56",
                        4 => "timestamptz DEFAULT '2024-03-15 13:14:15.123456+00'",
                        5 => "boolean DEFAULT true",
                        6 => "double precision DEFAULT 1.25",
                        _ => "uuid DEFAULT 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
                    };
                    format!("c{number} {kind}")
                });
                let columns: Vec<_> = columns.collect();
                format!(
                    "CREATE TABLE {table} (id bigint PRIMARY KEY, version int NOT NULL, {}); \
                     INSERT INTO {table} (id, version) SELECT n, 0 FROM generate_series(1, 10000) AS n; \
                     VACUUM {table}",
                    columns.join(", ")
                )
            }
            _ => format!(
                "CREATE TABLE {table} (id bigint PRIMARY KEY, customer int NOT NULL, \
                 amount numeric(10, 2) NOT NULL, note text, at timestamptz NOT NULL DEFAULT now())"
            ),
        }
    }

    /// One transaction of these events, numbered from `first` on.
    pub(crate) fn transaction(self, first: u64, events: u64) -> String {
        let table = self.table();
        let last = first + events - 1;
        match self {
            Self::StreamWideUpdates => format!(
                "UPDATE {table} SET version = version + 1, c2 = 'version ' || version \
                 WHERE id IN (SELECT n % 10000 + 1 FROM generate_series({first}, {last}) AS n)"
            ),
            _ => format!(
                "INSERT INTO {table} (id, customer, amount, note) \
                 SELECT n, n % 1000, n / 100.0, 'the note of row ' || n \
                 FROM generate_series({first}, {last}) AS n"
            ),
        }
    }

    /// Statements that make all events, each a transaction of its own.
    pub(crate) fn load(self) -> String {
        match self {
            Self::StreamHugeTransaction | Self::Snapshot => self.transaction(1, self.events()),
            _ => {
                let statement = self.transaction(1, TRANSACTION).replace('\'', "''");
                let statement = statement.replace(
                    &format!("generate_series(1, {TRANSACTION})"),
                    "generate_series($1, $2)",
                );
                let (events, step) = (self.events(), TRANSACTION);
                format!(
                    "CREATE PROCEDURE load() LANGUAGE plpgsql AS $$ BEGIN \
                     FOR number IN 1..{events} BY {step} LOOP \
                     EXECUTE '{statement}' USING number, number + {step} - 1; COMMIT; \
                     END LOOP; END $$; "
                )
            }
        }
    }

    /// Whether [`Case::load`] has made a procedure that has to be called.
    pub(crate) fn has_procedure(self) -> bool {
        self.has_latency()
    }
}
