//! Parses the arguments and calls one command.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match reelshelf::cli::run(reelshelf::cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("reelshelf: {error:#}");
            ExitCode::FAILURE
        }
    }
}
