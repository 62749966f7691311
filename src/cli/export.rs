//! `reelshelf export`

use std::{
    ffi::OsStr,
    io::{self, BufWriter, IsTerminal, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::ValueHint;
use reqwest::Response;
use tokio::signal::ctrl_c;

use super::client::{
    Client, Connection, Interrupted,
    filters::{Filters, word},
    movies::Sent,
    progress, values,
};
use crate::{
    cli::{output::Out, wrong_usage},
    output_file::{Access, Existing, OutputFile},
};

/// The films, the file and its format.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[derive(clap::Args)]
pub struct Args {
    /// The file to write or replace; without it, or as -, standard output. Its extension selects the format:
    /// .csv, .ndjson, .jsonl or .json
    #[arg(value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// CSV
    #[arg(long, group = "form")]
    csv: bool,
    /// CSV for spreadsheets: with a byte order mark and escaped formulas
    #[arg(long, group = "form")]
    spreadsheet: bool,
    /// One JSON object per line
    #[arg(long, group = "form")]
    ndjson: bool,
    /// A JSON array
    #[arg(long, group = "form")]
    json: bool,
    /// The order: id, title, format, length, year, rating, added, changed, comma-separated;
    /// - before a name reverses it
    #[arg(long, value_name = "KEYS", value_parser = values::sort, allow_hyphen_values = true)]
    sort: Option<String>,
    /// The old spelling of QUERY
    #[arg(long, value_name = "QUERY", value_parser = word, hide = true, conflicts_with = "query")]
    search: Option<String>,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    connection: Connection,
}

impl Args {
    /// Returns the format from the option or the file extension. Rejects an extension of another format,
    /// which programs would misread.
    fn form(&self) -> anyhow::Result<Sent> {
        let given = [
            (self.csv, Sent::Csv),
            (self.spreadsheet, Sent::Spreadsheet),
            (self.ndjson, Sent::Ndjson),
            (self.json, Sent::Json),
        ];
        let given = given.into_iter().find(|(is_given, _)| *is_given).map(|(_, form)| form);
        let ending = self.file.as_deref().and_then(Path::extension).and_then(OsStr::to_str);
        let said = match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("ndjson" | "jsonl") => Some(Sent::Ndjson),
            Some("json") => Some(Sent::Json),
            Some("csv") => Some(Sent::Csv),
            Some(other) if given.is_none() && OTHER_FORMS.contains(&other) => {
                return Err(wrong_usage(&format!(
                    "an export is CSV, NDJSON or JSON, and the name ends with .{other}; name it .csv, .ndjson or \
                     .json, or give --csv, --spreadsheet, --ndjson or --json"
                )));
            }
            _ => None,
        };
        Ok(given.or(said).unwrap_or(Sent::Csv))
    }
}

/// Extensions of other formats.
const OTHER_FORMS: [&str; 22] = [
    "xlsx", "xls", "xlsm", "xlsb", "ods", "numbers", "tsv", "tab", "gz", "zip", "bz2", "xz", "zst", "7z",
    "tar", "tgz", "xml", "html", "pdf", "yaml", "sqlite", "db",
];

pub async fn run(args: Args) -> anyhow::Result<()> {
    let form = args.form()?;
    let mut query = args.filters.query()?;
    let client = args.connection.client()?;
    query.extend(args.search.map(|words| ("q", words)));
    query.extend(args.sort.map(|sort| ("sort", sort)));
    let response = client.open_list(&query, form).await?;
    let standard = |file: &PathBuf| ["-", "/dev/stdout"].iter().any(|name| file == Path::new(name));
    if let Some(file) = args.file.filter(|file| !standard(file)) {
        return to_file(&client, response, &file).await;
    }
    let mut out = Out::new();
    copy(&client, response, &mut out, !io::stdout().is_terminal()).await?;
    out.finish()
}

/// Writes a file, which replaces the target once it is complete.
async fn to_file(client: &Client, response: Response, path: &Path) -> anyhow::Result<()> {
    let unwritable = || format!("{} cannot be written", path.display());
    let file = OutputFile::create(path, Existing::Replace, Access::Kept).with_context(unwritable)?;
    let mut file = BufWriter::new(file);
    copy(client, response, &mut file, true).await?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error).with_context(unwritable)?;
    file.finish().with_context(unwritable)
}

/// Copies a response until its end or an interruption, and then cleans up.
async fn copy(
    client: &Client,
    mut response: Response,
    to: &mut impl Write,
    with_progress: bool,
) -> anyhow::Result<()> {
    let progress = if with_progress { progress::bytes("Exporting") } else { progress::none() };
    let all = async {
        while let Some(piece) = client.piece(&mut response).await? {
            to.write_all(&piece).context("the export is not whole")?;
            progress.inc(piece.len() as u64);
        }
        Ok(())
    };
    let done = tokio::select! {
        done = all => done,
        _ = ctrl_c() => Err(Interrupted("the export is not whole".to_owned()).into()),
    };
    progress.finish_and_clear();
    done
}
