//! `reelshelf migrate`

use super::database::Database;

pub async fn run(database: Database) -> anyhow::Result<()> {
    let app = database.open().await?; // opening migrates
    app.db.close().await;
    eprintln!("The database is up to date.");
    Ok(())
}
