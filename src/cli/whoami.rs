//! `reelshelf whoami`

use std::io::Write;

use serde_json::json;

use super::client::Connection;
use crate::cli::output::Out;

/// The server.
#[derive(clap::Args)]
pub struct Args {
    /// JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let client = args.connection.client()?;
    let me = client.me().await?;
    let (name, role, server) = (me.name.as_str(), me.role.as_str(), client.server.to_string());
    let mut out = Out::new();
    if args.json {
        out.json(&json!({"name": name, "role": role, "server": server}))?;
    } else {
        writeln!(out, "{name} ({role}) at {server}")?;
    }
    out.finish()
}
