//! A database with a user of each role, created once by the service and copied for each test.

use std::sync::Arc;

use reelshelf::{
    db::Db,
    domain::{Role, Time},
    service::App,
};
use tokio::sync::OnceCell;

use super::{Kind, START, TestDatabase, add_user};

/// The tokens of viewer, editor and owner.
type Tokens = [String; 3];

/// Creates a migrated database with a user of each role, named like it, with [`PASSWORD`].
pub async fn with_users(kind: Kind) -> (TestDatabase, Tokens) {
    static SQLITE: OnceCell<(Vec<u8>, Tokens)> = OnceCell::const_new();
    static POSTGRES: OnceCell<(TestDatabase, Tokens)> = OnceCell::const_new();
    match kind {
        Kind::Sqlite => {
            let (file, tokens) = SQLITE
                .get_or_init(async || {
                    let (made, tokens) = make(kind).await;
                    made.execute("PRAGMA wal_checkpoint(TRUNCATE)").await.expect("all of it is in the file");
                    (std::fs::read(made.file()).expect("the file"), tokens)
                })
                .await;
            let database = TestDatabase::new(kind).await;
            std::fs::write(database.file(), file).expect("a copy");
            (database, tokens.clone())
        }
        Kind::Postgres => {
            let (made, tokens) = POSTGRES.get_or_init(|| make(kind)).await;
            (made.copy().await, tokens.clone())
        }
    }
}

async fn make(kind: Kind) -> (TestDatabase, Tokens) {
    let database = TestDatabase::new(kind).await;
    let db = Db::open(&database.address).await.expect("the database opens");
    let app = App::new(db, Arc::new(|| Time::from_millis(START)));
    let mut tokens = Tokens::default();
    for (token, role) in tokens.iter_mut().zip([Role::Viewer, Role::Editor, Role::Owner]) {
        *token = add_user(&app, role.as_str(), role).await;
    }
    (database, tokens)
}
