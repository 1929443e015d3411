"""The element names of Microsoft's Project XML (MSPDI), from its reference: any other is reported, not guessed."""

from web.importers.mspdi.xml_stream import Node

NAMESPACE = "http://schemas.microsoft.com/project"
OWN_FIELD = "188744016"  # Text30 of a task, in which a plan that was exported here keeps which milestone a task is
OWN_PREFIX = "fanlight:"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


PROJECT = _names(
    """
    SaveVersion BuildNumber UID GUID Name Title Subject Category Company Manager Author CreationDate Revision
    LastSaved ScheduleFromStart StartDate FinishDate FYStartDate CriticalSlackLimit CurrencyDigits
    CurrencySymbol CurrencyCode CurrencySymbolPosition CalendarUID BaselineCalendar DefaultStartTime
    DefaultFinishTime MinutesPerDay MinutesPerWeek DaysPerMonth DefaultTaskType DefaultFixedCostAccrual
    DefaultStandardRate DefaultOvertimeRate DurationFormat WorkFormat EditableActualCosts HonorConstraints
    EarnedValueMethod InsertedProjectsLikeSummary MultipleCriticalPaths NewTasksEffortDriven NewTasksEstimated
    SplitsInProgressTasks SpreadActualCost SpreadPercentComplete TaskUpdatesResource FiscalYearStart
    WeekStartDay MoveCompletedEndsBack MoveRemainingStartsBack MoveRemainingStartsForward
    MoveCompletedEndsForward BaselineForEarnedValue AutoAddNewResourcesAndTasks StatusDate CurrentDate
    MicrosoftProjectServerURL Autolink NewTaskStartDate NewTasksAreManual DefaultTaskEVMethod
    ProjectExternallyEdited ExtendedCreationDate ActualsInSync RemoveFileProperties AdminProject Template
    AgileMode UpdateManuallyScheduledTasksWhenEditingLinks KeepTaskOnNearestWorkingTimeWhenMadeAutoScheduled
    OutlineCodes WBSMasks ExtendedAttributes Calendars Tasks Resources Assignments Views Filters Groups Tables
    Maps Reports Drawings DataLinks VBAProjects BoardColumns Sprints
    """
)

TASK = _names(
    """
    UID GUID ID Name Active Manual Type IsNull CreateDate Contact WBS WBSLevel OutlineNumber OutlineLevel
    Priority Start Finish Duration StartText FinishText DurationText ManualStart ManualFinish ManualDuration
    DurationFormat FreeformDurationFormat Work Stop Resume ResumeValid EffortDriven Recurring OverAllocated
    Estimated Milestone Summary DisplayAsSummary DisplayOnTimeline Critical IsSubproject IsSubprojectReadOnly
    SubprojectName ExternalTask ExternalTaskProject EarlyStart EarlyFinish LateStart LateFinish StartVariance
    FinishVariance WorkVariance FreeSlack TotalSlack StartSlack FinishSlack FixedCost FixedCostAccrual
    PercentComplete PercentWorkComplete Cost OvertimeCost OvertimeWork ActualStart ActualFinish ActualDuration
    ActualCost ActualOvertimeCost ActualWork ActualOvertimeWork RegularWork RemainingDuration RemainingCost
    RemainingWork RemainingOvertimeCost RemainingOvertimeWork ACWP CV SV ConstraintType CalendarUID
    ConstraintDate Deadline LevelAssignments LevelingCanSplit LevelingDelay LevelingDelayFormat PreLeveledStart
    PreLeveledFinish Hyperlink HyperlinkAddress HyperlinkSubAddress IgnoreResourceCalendar Notes HideBar Rollup
    BCWS BCWP PhysicalPercentComplete EarnedValueMethod PredecessorLink ActualWorkProtected
    ActualOvertimeWorkProtected ExtendedAttribute Baseline OutlineCode IsPublished StatusManager CommitmentStart
    CommitmentFinish CommitmentType TimephasedData BudgetWork BudgetCost BoardColumnUID
    BoardStatusColumnOrderingID SprintUID
    """
)

ATTRIBUTE = _names("UID FieldID Value ValueID ValueGUID DurationFormat")

BASELINE = _names(
    """
    TimephasedData Number Interim Start Finish StartText FinishText DurationText Duration DurationFormat
    FreeformDurationFormat EstimatedDuration Work Cost BCWS BCWP FixedCost FixedCostAccrual
    """
)

READ_PROJECT = frozenset({"Name", "Title", "StatusDate", "CurrencyCode", "CurrencySymbol", "BaselineForEarnedValue"})
READ_TASK = frozenset(
    {
        *(
            "UID",
            "Name",
            "WBS",
            "OutlineNumber",
            "OutlineLevel",
            "IsNull",
            "Active",
            "ExternalTask",
            "Milestone",
            "Summary",
        ),
        *("Duration", "Start", "Finish", "ActualFinish", "Deadline", "PercentComplete", "Cost", "ACWP", "BCWS", "BCWP"),
    }
)
READ_ATTRIBUTE = frozenset({"FieldID", "Value"})
READ_BASELINE = frozenset({"Number", "Interim", "Finish", "Cost"})


def _node(name: str, read: frozenset[str], known: frozenset[str], *children: Node) -> Node:
    leaves = tuple(Node(name=leaf) for leaf in sorted(read))
    return Node(name=name, children=(*leaves, *children), known=known - read)


BASELINE_NODE = _node("Baseline", READ_BASELINE, BASELINE)
ATTRIBUTE_NODE = _node("ExtendedAttribute", READ_ATTRIBUTE, ATTRIBUTE)
TASK_NODE = _node("Task", READ_TASK, TASK, BASELINE_NODE, ATTRIBUTE_NODE)
TASKS_NODE = Node(name="Tasks", children=(TASK_NODE,))
PROJECT_NODE = _node("Project", READ_PROJECT, PROJECT, TASKS_NODE)
