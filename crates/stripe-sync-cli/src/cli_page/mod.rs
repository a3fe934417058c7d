//! Generates `docs/cli.md`: `template.md` with the options that clap knows filled in.
//!
//! Exists in tests only, because no user of the program needs it: one test writes the page when
//! `cargo xtask docs` runs it, and fails otherwise if the checked-in page is out of date.

use clap::{Arg, ArgAction, Command, CommandFactory as _};

use crate::args::Args;

const TEMPLATE: &str = include_str!("template.md");
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");

/// Set by `cargo xtask docs`.
const UPDATE: &str = "UPDATE_DOCS";

#[test]
fn the_page_is_up_to_date() {
    let mut program = Args::command();
    program.build();
    let page = page(TEMPLATE, &program);
    let is_current = std::fs::read_to_string(PAGE).is_ok_and(|existing| existing == page);
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(PAGE, page).expect("docs/cli.md can be written");
        println!("{} docs/cli.md", if is_current { "unchanged:" } else { "wrote" });
    } else {
        assert!(is_current, "docs/cli.md is out of date; run `cargo xtask docs`");
    }
}

/// The template with each line `{{options}}` replaced by the options of all commands, and each
/// line `{{command NAME}}` by the section of that command.
///
/// # Panics
/// If the template names a command that does not exist, or lacks one that does.
fn page(template: &str, program: &Command) -> String {
    let mut page = String::new();
    let mut described = Vec::new();
    for line in template.lines() {
        let placeholder = line.strip_prefix("{{").and_then(|line| line.strip_suffix("}}"));
        match placeholder.map(|text| text.split_once(' ').unwrap_or((text, ""))) {
            None => page.push_str(&format!("{line}\n")),
            Some(("options", _)) => page.push_str(&global_options(program)),
            Some(("command", name)) => {
                let command = name
                    .split(' ')
                    .try_fold(program, |command, word| command.find_subcommand(word));
                let command = command.unwrap_or_else(|| panic!("there is no command {name}"));
                page.push_str(&section(name, command));
                described.push(name);
            }
            Some((other, _)) => panic!("unknown placeholder {other}"),
        }
    }
    for name in names(program) {
        assert!(described.contains(&name.as_str()), "template.md lacks {{{{command {name}}}}}");
    }
    page
}

/// The commands as they are typed; for a command with subcommands, the subcommands instead.
fn names(program: &Command) -> Vec<String> {
    let visible = |command: &&Command| !command.is_hide_set() && command.get_name() != "help";
    let commands = program.get_subcommands().filter(visible);
    let names = commands.flat_map(|command| {
        let name = command.get_name();
        let inner = command.get_subcommands().filter(visible);
        let inner: Vec<_> = inner.map(|inner| format!("{name} {}", inner.get_name())).collect();
        if inner.is_empty() { vec![name.to_owned()] } else { inner }
    });
    names.collect()
}

/// One table for each help heading.
fn global_options(program: &Command) -> String {
    let mut text = String::new();
    let options: Vec<&Arg> = visible(program).collect();
    let mut headings: Vec<&str> = Vec::new();
    for option in &options {
        let heading = option.get_help_heading().unwrap_or_default();
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    // Options without a heading are `--help` and `--version`; they come last.
    headings.sort_by_key(|heading| heading.is_empty());
    for heading in headings {
        let title = if heading.is_empty() { "General" } else { heading };
        let rows = options.iter().filter(|o| o.get_help_heading().unwrap_or_default() == heading);
        text.push_str(&format!("### {title}\n\n{}\n", table(rows.copied())));
    }
    // The template continues with an empty line of its own.
    text.trim_end().to_owned() + "\n"
}

fn section(name: &str, command: &Command) -> String {
    let about = command.get_long_about().or(command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let mut text = format!("## `stripe-sync {name}`\n\n");
    for paragraph in about.split("\n\n") {
        let paragraph = one_line(paragraph);
        let stop = if paragraph.ends_with(['.', ':']) { "" } else { "." };
        text.push_str(&format!("{paragraph}{stop}\n\n"));
    }
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    text.push_str(&format!("```console\n$ {usage}\n```\n"));
    let own: Vec<&Arg> = visible(command).filter(|arg| !arg.is_global_set()).collect();
    if own.iter().any(|arg| arg.get_id() != "help") {
        let own = own.into_iter().filter(|arg| arg.get_id() != "help");
        text.push_str(&format!("\n{}", table(own)));
    }
    text
}

fn visible(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| !arg.is_hide_set())
}

fn table<'a>(args: impl Iterator<Item = &'a Arg>) -> String {
    let mut text =
        "| Option | Environment variable | Default | Description |\n|---|---|---|---|\n".to_owned();
    for arg in args {
        let help = Help::of(arg);
        text.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            code(&spelling(arg)),
            help.env.as_deref().map(code).unwrap_or_default(),
            help.default.as_deref().map(default_cell).unwrap_or_default(),
            cell(&help.text)
        ));
    }
    text
}

/// The option or argument as it is typed.
fn spelling(arg: &Arg) -> String {
    let value = arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name);
    let takes_value = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    if arg.is_positional() {
        let many = arg.get_num_args().is_some_and(|range| range.max_values() > 1);
        return format!("<{value}>{}", if many { "..." } else { "" });
    }
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let mut text = short.into_iter().chain(long).collect::<Vec<_>>().join(", ");
    if takes_value {
        text.push_str(&format!(" <{value}>"));
    }
    text
}

/// The help text of an argument, apart from the variable and the default it names in brackets.
///
/// The program resolves variables itself, so that an error can name the option or the variable
/// that is at fault. clap therefore knows them from the text only.
struct Help {
    text: String,
    env: Option<String>,
    default: Option<String>,
}

impl Help {
    fn of(arg: &Arg) -> Help {
        let text = arg.get_long_help().or(arg.get_help());
        let text = one_line(&text.map(ToString::to_string).unwrap_or_default());
        let (text, env) = without_note(&text, "env");
        let (mut text, default) = without_note(&text, "default");
        let default = default.or_else(|| {
            let values = arg.get_default_values().iter();
            let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
            let is_shown = !values.is_empty() && !arg.is_hide_default_value_set();
            let takes_value = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
            (is_shown && takes_value).then(|| values.join(","))
        });
        let values: Vec<String> = match arg.get_action() {
            ArgAction::Set | ArgAction::Append => {
                arg.get_possible_values().iter().map(|value| code(value.get_name())).collect()
            }
            _ => Vec::new(),
        };
        if !values.is_empty() {
            text.push_str(&format!(" ({})", values.join(", ")));
        }
        Help { text, env, default }
    }
}

/// Takes `[name: value]` out of a text.
fn without_note(text: &str, name: &str) -> (String, Option<String>) {
    let mark = format!("[{name}: ");
    let Some((before, rest)) = text.split_once(&mark) else { return (text.to_owned(), None) };
    let Some((value, after)) = rest.split_once(']') else { return (text.to_owned(), None) };
    let text = format!("{} {}", before.trim_end(), after.trim_start());
    (text.trim().to_owned(), Some(value.to_owned()))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A default that is one word is a value to type; others are a description.
fn default_cell(default: &str) -> String {
    if default.contains(' ') { cell(default) } else { code(default) }
}

fn code(text: &str) -> String {
    format!("`{}`", cell(text))
}

/// A bar would end the cell, even inside code.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[test]
fn notes_in_brackets_become_cells() {
    let arg = Arg::new("rate")
        .long("rate")
        .short('r')
        .value_name("N|none")
        .help("Requests per\nsecond [env: RATE] [default: as many as allowed]");
    let expected =
        "| `-r, --rate <N\\|none>` | `RATE` | as many as allowed | Requests per second |";
    assert_eq!(table([&arg].into_iter()).lines().last(), Some(expected));
}

#[test]
fn possible_values_and_defaults_of_clap_are_shown() {
    let arg = Arg::new("output")
        .long("output")
        .value_name("FORMAT")
        .value_parser(["text", "json"])
        .default_value("text")
        .help("Output format");
    let expected = "| `--output <FORMAT>` |  | `text` | Output format (`text`, `json`) |";
    assert_eq!(table([&arg].into_iter()).lines().last(), Some(expected));
}

#[test]
#[should_panic(expected = "lacks {{command query}}")]
fn a_command_that_the_template_lacks_is_an_error() {
    let mut program = Args::command();
    program.build();
    page(&TEMPLATE.replace("{{command query}}", ""), &program);
}
