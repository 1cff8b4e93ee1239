"""The guide's "Application Deployment"."""

from prefect import flow

from blocks.settings import load_context
from delivery.release import Release
from tasks.application.connections import apply_settings
from tasks.canary.approval import require_approval
from tasks.canary.start import apply_application, confirm_promoted, prepare_rollout, wait_until_paused
from tasks.canary.watch import watch
from tasks.rollout.steps import clear_pause, confirm_weight


@flow(name="roll-out", flow_run_name="roll out release {release.number}")
def roll_out(release: Release) -> None:
    """Start the revision, then 20, 40, 60, 80 % of the traffic, each judged, and all of it."""
    context = load_context(release)
    settings_names = apply_settings(context)
    firing_before = prepare_rollout(context, settings_names)
    canary = apply_application(context, settings_names, firing_before)
    evidence = None
    for step in canary.steps:
        wait_until_paused(context.environment, canary, step)
        confirm_weight(context.environment, step)
        evidence, judgement = watch(context, canary, step, evidence)
        evidence, approval = require_approval(context, canary, step, evidence, judgement)
        clear_pause(context, canary, step, approval)
    confirm_promoted(context.environment, canary)
