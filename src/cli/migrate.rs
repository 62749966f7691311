//! `reelshelf migrate`

use super::database::Database;
use crate::cli::output::message;

pub async fn run(database: Database) -> anyhow::Result<()> {
    let app = database.open().await?; // opening migrates
    app.db.close().await;
    message!("The database is up to date.");
    Ok(())
}
