//! Prompts for what a file lacks, before it is sent.

use std::collections::BTreeMap;

use super::{Args, input::Input};
use crate::{
    cli::{
        client::{terminal::ask_to_change, values, words::shown},
        output::message,
    },
    documents::RowError,
    domain::{Field, MovieFormat},
    exchange,
    format::{self, count},
    limits::MAX_REPORT_ERRORS,
};

/// What rows lack.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Lack {
    Value(Field),
    /// Our format for this medium.
    Format(String),
}

/// Prompts for missing formats, lengths and ratings, and for the format of unknown media. The answers become
/// `--default` and `--map-format`.
///
/// # Errors
/// If the terminal was closed or the file cannot be read.
pub fn ask(args: &mut Args, input: &Input) -> anyhow::Result<()> {
    let mut asked = Vec::new();
    let given = (args.default.len(), args.map_format.len());
    loop {
        let (options, _) = args.options(input.source.unwrap_or(args.source))?;
        // The server rejects an unreadable file with the reason.
        let Ok(report) = exchange::check(input.again()?, input.kind, &options, None) else { return Ok(()) };
        let are_all = report.errors.len() < MAX_REPORT_ERRORS;
        let lacks: Vec<_> =
            lacks(&report.errors).into_iter().filter(|(lack, _)| !asked.contains(lack)).collect();
        if lacks.is_empty() {
            break;
        }
        if asked.is_empty() {
            message!("Some films lack values; Enter leaves them out.");
        }
        for (lack, rows) in lacks {
            let films = if are_all { count(rows, "film") } else { "Many films".to_owned() };
            put(args, &lack, &films)?;
            asked.push(lack);
        }
    }
    repeat(&args.default[given.0..], &args.map_format[given.1..]);
    Ok(())
}

/// Returns what rejected rows lack, with the number of rows.
fn lacks(errors: &[RowError]) -> BTreeMap<Lack, usize> {
    let mut lacks = BTreeMap::new();
    for error in errors {
        let lack = match (error.missing(), error.unknown_medium()) {
            (Some(field @ (Field::MovieFormat | Field::Length | Field::Rating)), _) => Lack::Value(field),
            (_, Some(medium)) => Lack::Format(medium.to_owned()),
            _ => continue,
        };
        *lacks.entry(lack).or_default() += 1;
    }
    lacks
}

/// Prompts for one of them.
fn put(args: &mut Args, lack: &Lack, films: &str) -> anyhow::Result<()> {
    let field = match lack {
        Lack::Value(field) => *field,
        Lack::Format(medium) => {
            let question = format!("{films} on {:?}. Format (VHS, DVD, Streaming):", shown(medium));
            let format = ask_to_change(&question, MovieFormat::parse_any_case)?;
            args.map_format.extend(format.map(|format| format!("{medium}:{}", format.as_str())));
            return Ok(());
        }
    };
    let name = format::field(field);
    let question = |hint: &str| format!("{films} without a {name}. {hint}:");
    let value = match field {
        Field::MovieFormat => {
            ask_to_change(&question("Format (VHS, DVD, Streaming)"), MovieFormat::parse_any_case)?
                .map(|format| format.as_str().to_owned())
        }
        Field::Length => ask_to_change(&question("Length (such as 2h50, or 0 if unknown)"), values::length)?
            .map(|length| length.get().to_string()),
        _ => ask_to_change(&question("Rating (1 to 5)"), values::rating)?
            .map(|rating| rating.get().to_string()),
    };
    args.default.extend(value.map(|value| format!("{name}:{value}")));
    Ok(())
}

/// Shows the options that give the same answers.
fn repeat(defaults: &[String], formats: &[String]) {
    let options = defaults.iter().map(|text| format!("--default {text}"));
    let options = options.chain(formats.iter().map(|text| format!("--map-format '{text}'")));
    let options: Vec<String> = options.collect();
    if !options.is_empty() {
        message!("The same as options: {}", shown(&options.join(" ")));
    }
}
