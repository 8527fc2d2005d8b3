//! The scenarios that are shipped in the program, so that it works outside its checkout.

/// Names and texts of the files in `scenarios/`.
pub const SHIPPED: &[(&str, &str)] = &[
    ("acknowledged-and-silent.yaml", include_str!("../../scenarios/acknowledged-and-silent.yaml")),
    ("asleep.yaml", include_str!("../../scenarios/asleep.yaml")),
    ("between-the-windows.yaml", include_str!("../../scenarios/between-the-windows.yaml")),
    ("boot-entry-by-ldrst.yaml", include_str!("../../scenarios/boot-entry-by-ldrst.yaml")),
    ("corrupt-image.yaml", include_str!("../../scenarios/corrupt-image.yaml")),
    ("downgrade-attempt.yaml", include_str!("../../scenarios/downgrade-attempt.yaml")),
    ("early-reset.yaml", include_str!("../../scenarios/early-reset.yaml")),
    ("healthy-handshake.yaml", include_str!("../../scenarios/healthy-handshake.yaml")),
    ("interrupted-upload.yaml", include_str!("../../scenarios/interrupted-upload.yaml")),
    ("late-reset.yaml", include_str!("../../scenarios/late-reset.yaml")),
    ("left-at-460800.yaml", include_str!("../../scenarios/left-at-460800.yaml")),
    ("power-cycle.yaml", include_str!("../../scenarios/power-cycle.yaml")),
    ("restart-by-command.yaml", include_str!("../../scenarios/restart-by-command.yaml")),
    ("same-version-again.yaml", include_str!("../../scenarios/same-version-again.yaml")),
    ("soak.yaml", include_str!("../../scenarios/soak.yaml")),
    ("speed-ladder.yaml", include_str!("../../scenarios/speed-ladder.yaml")),
    ("still-booting.yaml", include_str!("../../scenarios/still-booting.yaml")),
    ("unsolicited-lines.yaml", include_str!("../../scenarios/unsolicited-lines.yaml")),
    ("upgrade.yaml", include_str!("../../scenarios/upgrade.yaml")),
    ("wake-by-the-wake-line.yaml", include_str!("../../scenarios/wake-by-the-wake-line.yaml")),
    ("wrong-baud.yaml", include_str!("../../scenarios/wrong-baud.yaml")),
    ("wrong-key.yaml", include_str!("../../scenarios/wrong-key.yaml")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_the_directory() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
        let mut names = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".yaml"))
            .collect::<Vec<_>>();
        names.sort();
        assert_eq!(
            SHIPPED.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            names,
            "list each file of scenarios/ in src/scenario/shipped.rs, sorted"
        );
    }

    #[test]
    fn every_shipped_scenario_loads_without_a_bench() {
        let plan = crate::scenario::load_shipped(None)
            .unwrap_or_else(|problems| panic!("{}", crate::document::Diagnostic::render_all(&problems, false)));
        assert!(plan.cases.len() >= SHIPPED.len());
    }
}
