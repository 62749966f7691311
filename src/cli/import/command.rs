//! The command and its options.

use std::path::PathBuf;

use clap::{
    ValueHint,
    builder::{PossibleValuesParser, TypedValueParser},
};

use super::{input::Input, questions, rejects::Rejects, report, upload};
use crate::{
    cli::{
        client::{Connection, filters::Query, refusal::Refusal, terminal, values},
        output::Out,
        wrong_usage,
    },
    documents::{Choice, OnDuplicate, OnError, Problem, Report, Source, TitleTooLong},
    domain::{Invalid, Role},
    exchange::{Encoding, ImportOptions},
    format,
};

/// The file and its import options.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[derive(clap::Args)]
pub struct Args {
    /// A CSV, NDJSON or JSON file, or the .zip of a Letterboxd account; - is standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub(super) file: PathBuf,
    /// Store nothing, and show the result of each row
    #[arg(long)]
    pub(super) dry_run: bool,
    /// The program that wrote the file; auto detects it from the header line
    #[arg(long, default_value = "auto", value_parser = one_of::<Source>())]
    pub(super) source: Source,
    /// The encoding of a file that is not in UTF-8, such as windows-1252
    #[arg(long, value_name = "NAME", value_parser = Encoding::parse)]
    pub(super) encoding: Option<Encoding>,
    /// The column that holds a field under another name, such as year:Jahr; may be repeated
    #[arg(long, value_name = "FIELD:COLUMN")]
    pub(super) map: Vec<String>,
    /// The format for a foreign medium, such as Blu-ray:DVD; may be repeated
    #[arg(long, value_name = "MEDIUM:FORMAT")]
    pub(super) map_format: Vec<String>,
    /// The best rating in the file, such as 10, if ratings are not from 1 to 5
    #[arg(long, value_name = "NUMBER", value_parser = ImportOptions::parse_rating_scale)]
    pub(super) rating_scale: Option<u8>,
    /// The value for rows without one, such as format:DVD; may be repeated. A terminal is asked for it
    #[arg(long, value_name = "FIELD:VALUE")]
    pub(super) default: Vec<String>,
    /// What to do with a film that is in the collection already: same title, year and format
    #[arg(long, default_value = "skip", value_parser = one_of::<OnDuplicate>())]
    pub(super) on_duplicate: OnDuplicate,
    /// What to do if rows are invalid: store nothing, or skip them [default: abort, with --rejects: skip]
    #[arg(long, value_parser = one_of::<OnError>())]
    pub(super) on_error: Option<OnError>,
    /// What to do with a title of more than 50 characters
    #[arg(long, default_value = "error", value_parser = one_of::<TitleTooLong>())]
    pub(super) title_too_long: TitleTooLong,
    /// Write the rejected rows with the reasons to this file, to correct and import them
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) rejects: Option<PathBuf>,
    /// Replace the file of --rejects if it exists
    #[arg(long, requires = "rejects")]
    pub(super) force: bool,
    /// Also import the watchlist of a Letterboxd archive: the films you want to see
    #[arg(long)]
    pub(super) watchlist: bool,
    /// MovieLens' ratings.csv, beside its movies.csv
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) ratings: Option<PathBuf>,
    /// The MovieLens user whose ratings to take [default: the mean of all users]
    #[arg(long, value_name = "NUMBER", requires = "ratings")]
    pub(super) user: Option<i64>,
    /// JSON, for programs: the report as the server gives it
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) connection: Connection,
}

/// Parses an option with a few values, which the help lists.
fn one_of<C: Choice>() -> impl TypedValueParser<Value = C> {
    let words = PossibleValuesParser::new(C::ALL.iter().map(|choice| choice.as_str()));
    words.try_map(|given| C::ALL.iter().copied().find(|choice| choice.as_str() == given).ok_or("is unknown"))
}

/// Returns an option as a query parameter.
fn parameter<C: Choice>(choice: C) -> (&'static str, String) {
    (C::NAME, choice.as_str().to_owned())
}

impl Args {
    /// Returns the options, and the same as query parameters.
    pub(super) fn options(&self, source: Source) -> anyhow::Result<(ImportOptions, Query)> {
        let usual = if self.rejects.is_some() { OnError::Skip } else { OnError::Abort };
        let mut options = ImportOptions {
            source,
            on_duplicate: self.on_duplicate,
            on_error: self.on_error.unwrap_or(usual),
            title_too_long: self.title_too_long,
            dry_run: self.dry_run,
            encoding: self.encoding,
            rating_scale: self.rating_scale,
            ..ImportOptions::default()
        };
        let mut query = vec![
            parameter(options.source),
            parameter(options.on_duplicate),
            parameter(options.on_error),
            parameter(options.title_too_long),
            ("dryRun", options.dry_run.to_string()),
        ];
        query.extend(self.encoding.map(|encoding| ("encoding", encoding.as_str().to_owned())));
        query.extend(self.rating_scale.map(|scale| ("ratingScale", scale.to_string())));
        let mut add = |option,
                       parameter,
                       given: &[String],
                       add: fn(&mut ImportOptions, &str) -> Result<(), Invalid>| {
            given.iter().try_for_each(|text| {
                let spelled =
                    if parameter == "mapFormat" { Ok(text.clone()) } else { values::of_field(text) };
                spelled
                    .and_then(|spelled| {
                        add(&mut options, &spelled)?;
                        query.push((parameter, spelled));
                        Ok(())
                    })
                    .map_err(|invalid| wrong_usage(&format!("{option} {text}: {invalid}")))
            })
        };
        add("--map-format", "mapFormat", &self.map_format, ImportOptions::add_format)?;
        add("--map", "map", &self.map, |options, text| options.add_column(text, format::field))?;
        add("--default", "default", &self.default, |options, text| options.add_default(text, format::field))?;
        Ok((options, query))
    }
}

pub async fn run(mut args: Args) -> anyhow::Result<()> {
    // Usage errors come before those of the file.
    args.options(args.source)?;
    let client = args.connection.client()?;
    let me = client.me().await?;
    anyhow::ensure!(
        me.role >= Role::Editor,
        "{} may only read there, with the role {}",
        me.name.as_str(),
        me.role.as_str()
    );
    let rejects = args.rejects.as_deref().map(|path| Rejects::open(path, args.force)).transpose()?;

    let input = Input::open(&args)?;
    if terminal::is_there() && !args.json {
        questions::ask(&mut args, &input)?;
    }
    let (options, query) = args.options(input.source.unwrap_or(args.source))?;
    let rejected = rejects.map(|rejects| rejects.fill(&input, &options)).transpose()?;
    let sent = upload::send(&client, &input, &query, args.dry_run).await;
    let (report, refusal) = match sent {
        Ok(report) => (report, None),
        Err(error) => match error.downcast::<Refusal>() {
            Ok(Refusal(Problem { report: Some(report), detail, .. })) => {
                (*report, Some(anyhow::anyhow!(detail)))
            }
            Ok(refusal) => return Err(refusal.into()),
            Err(error) => return Err(error),
        },
    };
    let shown = show(&report, &input, args.json, refusal.is_some());
    if let Some(rejected) = rejected {
        rejected.keep()?; // even if standard output cannot be written
    }
    shown?;
    refusal.map_or(Ok(()), Err)
}

fn show(report: &Report, input: &Input, json: bool, is_aborted: bool) -> anyhow::Result<()> {
    let mut out = Out::new();
    if json {
        out.json(&input.located(report)?)?;
    } else {
        report::print(report, input, is_aborted, &mut out)?;
    }
    out.finish()
}
