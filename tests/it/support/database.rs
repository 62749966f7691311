//! A separate database for each test: an SQLite file, or a database of the test run's PostgreSQL cluster.

use std::{path::PathBuf, sync::Arc};

use tokio_postgres::NoTls;

/// The kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// A database that is removed after the test.
#[derive(Clone)]
pub struct TestDatabase {
    /// The value of `--database`.
    pub address: String,
    pub kind: Kind,
    /// The folder of the file, removed with the last copy of this value. The cluster is removed after the
    /// run.
    folder: Option<Arc<tempfile::TempDir>>,
}

impl TestDatabase {
    pub async fn new(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => {
                let folder = tempfile::tempdir().expect("a temporary folder");
                let address = format!("sqlite:{}", folder.path().join("films.db").display());
                Self { address, kind, folder: Some(Arc::new(folder)) }
            }
            Kind::Postgres => Self::new_on_cluster("").await,
        }
    }

    /// Creates a PostgreSQL database with these options of CREATE DATABASE.
    pub async fn new_on_cluster(options: &str) -> Self {
        let name = format!("test_{:016x}", rand::random::<u64>());
        let create = format!("CREATE DATABASE {name} {options}");
        cluster().await.batch_execute(&create).await.expect("a database");
        let address = cluster_address();
        let (server, _) = address.rsplit_once('/').expect("an address with a database");
        Self { address: format!("{server}/{name}"), kind: Kind::Postgres, folder: None }
    }

    /// Uses an existing database, which is not removed.
    pub fn at(kind: Kind, address: String) -> Self {
        Self { address, kind, folder: None }
    }

    /// Returns the folder of the SQLite file.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.as_ref().expect("a database in a file").path()
    }

    /// Returns the path of the SQLite file.
    pub fn file(&self) -> PathBuf {
        self.folder().join("films.db")
    }

    /// Copies the database. An SQLite file is copied as a crash would leave it: first the file, then its
    /// newer log. On PostgreSQL nobody may be connected.
    pub async fn copy(&self) -> Self {
        match self.kind {
            Kind::Sqlite => {
                let copy = Self::new(self.kind).await;
                for name in ["films.db", "films.db-wal"] {
                    std::fs::copy(self.folder().join(name), copy.folder().join(name)).expect("a copy");
                }
                copy
            }
            Kind::Postgres => {
                let (_, template) = self.address.rsplit_once('/').expect("an address with a database");
                Self::new_on_cluster(&format!("TEMPLATE {template}")).await
            }
        }
    }

    /// Runs SQL directly on the database.
    pub async fn execute(&self, sql: &str) -> Result<(), String> {
        match self.kind {
            Kind::Sqlite => {
                let connection = rusqlite::Connection::open(self.file()).expect("the file opens");
                connection.execute_batch("PRAGMA busy_timeout = 5000").expect("a pragma");
                connection.execute_batch(sql).map_err(|e| e.to_string())
            }
            Kind::Postgres => {
                let client = connect(&self.address).await;
                let done = client.batch_execute(sql).await;
                done.map_err(|e| e.as_db_error().map_or_else(|| e.to_string(), ToString::to_string))
            }
        }
    }

    /// Connects directly to a PostgreSQL database.
    pub async fn client(&self) -> tokio_postgres::Client {
        connect(&self.address).await
    }

    /// Returns the texts that a query finds.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        match self.kind {
            Kind::Sqlite => {
                let connection = rusqlite::Connection::open(self.file()).expect("the file opens");
                let mut statement = connection.prepare(sql).expect("a query");
                let rows = statement.query_map([], |row| row.get(0)).expect("rows");
                rows.map(|text| text.expect("a text")).collect()
            }
            Kind::Postgres => {
                let rows = connect(&self.address).await.query(sql, &[]).await.expect("rows");
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }

    /// Returns all stored data as text.
    pub async fn dump(&self) -> String {
        match self.kind {
            Kind::Sqlite => {
                let files = std::fs::read_dir(self.folder()).expect("a folder");
                let bytes = files.map(|file| std::fs::read(file.expect("a file").path()).expect("its bytes"));
                bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
            }
            Kind::Postgres => {
                let sql = "SELECT schema_to_xml('public', true, false, '')::text";
                connect(&self.address).await.query_one(sql, &[]).await.expect("a dump").get(0)
            }
        }
    }
}

/// Returns the address of the test cluster, which `make test` starts. Without one, tests on PostgreSQL fail.
fn cluster_address() -> String {
    std::env::var("REELSHELF_TEST_POSTGRES")
        .expect("REELSHELF_TEST_POSTGRES names a PostgreSQL cluster; run the tests with `make test`")
}

async fn cluster() -> tokio_postgres::Client {
    connect(&cluster_address()).await
}

async fn connect(address: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(address, NoTls).await.expect("PostgreSQL answers");
    tokio::spawn(connection);
    client
}
