//! Every YAML block of the documentation loads: blocks with `boards:` as bench files, all others as scenarios. And the reference leaves nothing out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod boards;

use std::path::{Path, PathBuf};

use evkit_hil::bench::Bench;
use evkit_hil::diagnosis::{Advice, Cause, Probe};
use evkit_hil::document::Diagnostic;
use evkit_hil::faults::expected;
use evkit_hil::model::evkit::{Fault, Settings};
use evkit_hil::plan::{Anchor, Case, Effect};
use evkit_hil::report::{CaseReport, Palette, terminal};
use evkit_hil::scenario;
use evkit_hil::timeline::event::Outcome;

/// A YAML block, behind as many empty lines as come before it in its file: complaints then name the file's own lines.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut inside: Option<String> = None;
    for (number, line) in text.lines().enumerate() {
        match (&mut inside, line.trim_end()) {
            (None, "```yaml") => inside = Some("\n".repeat(number + 1)),
            (Some(_), "```") => blocks.extend(inside.take()),
            (Some(block), line) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    assert!(inside.is_none(), "a block that does not end");
    blocks
}

fn documents() -> Vec<PathBuf> {
    let mut files = std::fs::read_dir("docs")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect::<Vec<_>>();
    files.extend(Some(PathBuf::from("README.md")).filter(|readme| readme.exists()));
    files.sort();
    files
}

fn load(file: &Path, block: &str) -> Result<(), Vec<Diagnostic>> {
    let is_bench = block.lines().any(|line| line.starts_with("boards:"));
    if is_bench { Bench::load_text(file, block).map(drop) } else { scenario::load_text(file, block, None).map(drop) }
}

#[test]
fn every_yaml_block_loads() {
    let mut loaded = 0;
    let mut refused = Vec::new();
    for file in documents() {
        for block in blocks(&std::fs::read_to_string(&file).unwrap()) {
            match load(&file, &block) {
                Ok(()) => loaded += 1,
                Err(problems) => refused.extend(problems),
            }
        }
    }
    assert!(refused.is_empty(), "{}", Diagnostic::render_all(&refused, false));
    assert!(loaded >= 14, "only {loaded} blocks were found");
}

#[test]
fn every_example_of_a_scenario_passes_on_a_healthy_virtual_board() {
    let mut cases = Vec::new();
    // What stands in diagnosis.md is there to fail.
    for file in documents().into_iter().filter(|file| !file.ends_with("docs/diagnosis.md")) {
        for block in blocks(&std::fs::read_to_string(&file).unwrap()) {
            if let Ok(plan) = scenario::load_text(&file, &block, None) {
                cases.extend(plan.cases);
            }
        }
    }
    assert!(cases.len() >= 12, "only {} cases were found", cases.len());
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..=5 {
        for timeline in boards::simulated(&cases, seed, &folder.path().join(seed.to_string())) {
            let report = CaseReport::read(&timeline).unwrap();
            let place = format!("{}:{}, seed {seed}", report.case.file, report.case.line);
            assert_eq!(report.outcome(), Outcome::Passed, "{place}: {:?}", report.verdict);
        }
    }
}

#[test]
fn the_settings_of_the_virtual_board_are_listed_as_they_are() {
    let mut table = String::from("| setting | kind | default | takes | a seed draws | meaning |\n| --- | --- | --- | --- | --- | --- |\n");
    let cell = |text: &str| text.replace('|', "\\|");
    for setting in Settings::describe() {
        let drawn = setting.drawn.as_deref().map_or_else(|| "-".to_owned(), cell);
        let (takes, meaning) = (cell(&setting.takes), cell(setting.meaning));
        table.push_str(&format!("| `{}` | {} | `{}` | {takes} | {drawn} | {meaning} |\n", setting.name, setting.kind, setting.default));
    }
    let text = format!(
        "# Settings of the virtual EVKIT\n\nGenerated from the table in src/model/evkit/settings: `SNAPSHOTS=overwrite cargo test --test docs`.\n\n{table}"
    );
    snapbox::Assert::new().action_env("SNAPSHOTS").eq(text, snapbox::file!["../docs/settings.md"].raw());
}

#[test]
fn the_faults_of_the_virtual_board_are_listed_as_they_are() {
    let mut table = String::from("| fault | sets | on the wire | stands for |\n| --- | --- | --- | --- |\n");
    for fault in Fault::ALL {
        let sets = fault.settings().into_iter().map(|(setting, range)| format!("`{setting}`: {range}")).collect::<Vec<_>>().join("<br>");
        table.push_str(&format!("| `{}` | {sets} | {} | {} |\n", fault.name, fault.wire, fault.stands_for));
    }
    let text = format!(
        "# Faults of the virtual EVKIT\n\nGenerated from the catalogue in src/model/evkit/faults: `SNAPSHOTS=overwrite cargo test --test docs`.\n\nWhat a fault sets is drawn by the seed from \
         the range that is given; `NAME=VALUE` gives the first one that has a range. The settings are explained in [settings.md](settings.md).\n\n{table}"
    );
    snapbox::Assert::new().action_env("SNAPSHOTS").eq(text, snapbox::file!["../docs/faults.md"].raw());
}

/// What shows each cause: a fault in a shipped scenario, or steps on a healthy board. `tool-failed` has none yet.
const SHOWN: &[(Cause, Shown)] = &[
    (Cause::NothingCame, Shown::Fault("mute", "healthy handshake")),
    (Cause::WrongSpeed, Shown::Fault("left-at-speed", "healthy handshake")),
    (Cause::Garbage, Shown::Fault("boot-garbles", "healthy handshake")),
    (Cause::LineNoise, Shown::Fault("doubled-bytes", "unsolicited lines")),
    (
        Cause::ApplicationAnswered,
        Shown::Steps(
            "reset: { pulse: 15 ms }\n  - expect: { text: \"#SYSSTART\\r\\n\", within: 35 s, of: release }\n  - wait: 1 s\n  - boot: { command: AT+IPR=460800 }",
        ),
    ),
    (Cause::BootCodeAnswered, Shown::Steps("handshake:\n  - boot: { command: ATI0 }\n  - at: { command: AT+CGMR }")),
    (Cause::AcknowledgedSilent, Shown::Fault("silent-after-acknowledge", "healthy handshake")),
    (Cause::NotAcknowledged, Shown::Fault("no-acknowledge", "healthy handshake")),
    (Cause::ResetWithoutEffect, Shown::Fault("ignores-reset", "healthy handshake")),
    (Cause::PowerWithoutEffect, Shown::Fault("ignores-power", "power cycle")),
    (Cause::LineStuck, Shown::Fault("stuck-in-reset", "healthy handshake")),
    (Cause::UncommandedReset, Shown::Fault("watchdog-after", "early reset")),
    (Cause::StillStarting, Shown::Fault("still-booting", "healthy handshake")),
    (Cause::DoesNotStart, Shown::Fault("dead-after-refusal", "downgrade attempt")),
    (Cause::Asleep, Shown::Fault("ignores-wake", "wake by the wake line")),
    (Cause::ShutDown, Shown::Fault("shuts-down-after", "early reset")),
    (Cause::ApplicationHangs, Shown::Fault("application-silent", "asleep")),
    (Cause::EchoOnly, Shown::Fault("echo-only", "asleep")),
    (Cause::TalksButDoesNotHear, Shown::Fault("deaf", "between the windows")),
    (Cause::WrongPort, Shown::Fault("wrong-port", "unsolicited lines")),
    (Cause::Refused, Shown::Fault("refuses-at-header", "upgrade")),
    (Cause::AcceptedLower, Shown::Fault("accepts-downgrade", "downgrade attempt")),
    (Cause::AcceptedDamaged, Shown::Fault("accepts-corrupt", "corrupt image")),
    (Cause::AcceptedWrongKey, Shown::Fault("accepts-wrong-key", "wrong key")),
    (Cause::VersionNotAsInstalled, Shown::Fault("keeps-old-version", "upgrade")),
    (Cause::UploadStalled, Shown::Fault("upload-stalls", "upgrade")),
    (Cause::UploadProtocol, Shown::Fault("upload-ends-early", "upgrade")),
    (Cause::NotAsExpected, Shown::Steps("at: { command: AT }\n  - at: { command: AT+FOO }")),
    (Cause::PortLost, Shown::Fault("port-vanishes", "healthy handshake")),
];

/// How a cause is shown.
enum Shown {
    /// This fault in this shipped scenario.
    Fault(&'static str, &'static str),
    /// These steps.
    Steps(&'static str),
}

impl Shown {
    /// The case, and how the page introduces it.
    fn case(&self) -> (Case, String) {
        match self {
            Self::Fault(fault, scenario) => {
                let plan = scenario::load_shipped(None).unwrap();
                let mut case = plan.cases.into_iter().rfind(|case| case.scenario == *scenario).unwrap();
                case.virtual_board.settings.insert(0, (Settings::FAULT.to_owned(), (*fault).to_owned()));
                (case, format!("`evkit-hil run --simulate --fault {fault} {}`", scenario.replace(' ', "-").to_lowercase()))
            }
            Self::Steps(steps) => {
                let text = format!("format: 1\nscenario: shown\nsummary: Shown.\neffects: [speed]\nsteps:\n  - {steps}\n");
                let plan = scenario::load_text(Path::new("shown.yaml"), &text, None)
                    .unwrap_or_else(|problems| panic!("{}", Diagnostic::render_all(&problems, false)));
                (
                    plan.cases.into_iter().next().unwrap(),
                    format!("`evkit-hil run --simulate shown.yaml`, with a board that is well and\n\n```yaml\n{text}```"),
                )
            }
        }
    }
}

/// The block that a terminal shows of a case that failed, without where its files are.
fn failure(case: &Case, seed: u64, folder: &Path) -> (CaseReport, String) {
    let timelines = boards::simulated(std::slice::from_ref(case), seed, folder);
    let report = CaseReport::read(&timelines[0]).unwrap();
    let block = terminal::failure_block(&report, 80, &Palette::plain());
    let kept = block.lines().filter(|line| !line.starts_with("    timeline") && !line.starts_with("   -->"));
    let text = kept.map(str::trim_end).collect::<Vec<_>>().join("\n");
    (report, text)
}

#[test]
fn each_cause_is_shown_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut sections = String::new();
    for (number, cause) in Cause::ALL.iter().enumerate() {
        sections += &format!("\n## {cause}\n\n{}\n\n", cause.meaning());
        match SHOWN.iter().find(|(shown, _)| shown == cause) {
            Some((_, shown)) => {
                let (case, how) = shown.case();
                // The first board on which the fault acts and is named.
                let tries = (0..20).map(|seed| failure(&case, seed, &folder.path().join(format!("{number}-{seed}"))));
                let named = |report: &CaseReport| report.verdict.diagnosis.as_ref().map(|diagnosis| diagnosis.cause);
                let shown = tries.into_iter().enumerate().find(|(_, (report, _))| named(report) == Some(*cause));
                let (seed, (_, block)) = shown.unwrap_or_else(|| panic!("{cause} is not named by {how}"));
                let how = if seed == 0 { how } else { how.replace("--simulate", &format!("--simulate --seed {seed}")) };
                sections += &format!("{how}\n\n```text\n{block}\n```\n\n");
            }
            None => {
                assert_eq!(*cause, Cause::ToolFailed, "only what nothing produces yet is not shown");
                sections += "No step runs another program yet, so that nothing is named so today.\n\n";
            }
        }
        sections += &format!("**Next**: {}.\n", cause.next());
        let advice: Vec<_> = Advice::ALL.iter().filter(|advice| advice.cause() == *cause).collect();
        if !advice.is_empty() {
            sections += "\n";
        }
        for advice in advice {
            sections += &format!("- *Where {}*: {}.\n", advice.when(), advice.next());
        }
    }
    let mut faults = String::from("| fault | what it is named |\n| --- | --- |\n");
    for fault in Fault::ALL {
        faults += &format!("| `{}` | {} |\n", fault.name, expected(fault.name).unwrap());
    }
    let mut probes = String::from("| probe | what is done |\n| --- | --- |\n");
    for probe in Probe::ALL {
        probes += &format!("| `{probe}` | {} |\n", probe.words());
    }
    let text = include_str!("diagnosis.md").replace("{sections}", &sections).replace("{faults}", &faults).replace("{probes}", &probes);
    snapbox::Assert::new().action_env("SNAPSHOTS").eq(text, snapbox::file!["../docs/diagnosis.md"].raw());
}

#[test]
fn the_reference_shows_every_verb_and_names_every_word() {
    let text = std::fs::read_to_string("docs/scenarios.md").unwrap();
    for verb in scenario::VERBS {
        let section = text.split(&format!("\n### {verb}\n")).nth(1).unwrap_or_else(|| panic!("no section for `{verb}`"));
        let example = section.split("\n### ").next().and_then(|section| blocks(section).into_iter().next());
        let example = example.unwrap_or_else(|| panic!("no example for `{verb}`"));
        assert!(example.contains(&format!("- {verb}:")), "the example for `{verb}` does not use it");
    }
    let words = Effect::ALL
        .iter()
        .map(|effect| effect.name())
        .chain(Cause::ALL.iter().map(|cause| cause.name()))
        .chain(Anchor::ALL.iter().map(|anchor| anchor.name()));
    for word in words {
        assert!(text.contains(&format!("`{word}`")), "`{word}` is not in the reference");
    }
}

#[test]
fn complaints_about_a_block_name_the_line_of_its_file() {
    let text = "# Title\n\nwords\n\n```yaml\nformat: 1\nscenario: here\nsteps:\n  - wait: 300\n```\n";
    let problems = load(Path::new("docs/x.md"), &blocks(text)[0]).unwrap_err();
    assert_eq!(problems[0].excerpt.as_ref().unwrap().line, 9);
}
