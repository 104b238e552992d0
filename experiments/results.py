"""What a run folder shows once trials have ended: tables and reports, made anew from the records."""

from pathlib import Path

from experiments.run_folder import RunFolder


def write_results(run: RunFolder) -> list[Path]:
    """Write the tables and every report of a run; the paths of the reports."""
    from experiments.report import render_report
    from experiments.tables import write_tables

    write_tables(run)
    return render_report(run)
