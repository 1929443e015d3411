"""What planning tools and people call the columns of a plan, and the words in them, in the languages of the tools.

The headings are those of Jira, OpenProject, Smartsheet, Asana, monday, Trello, Microsoft Project and Primavera P6.
"""

import re

WORDS: dict[str, tuple[str, ...]] = {  # by field, the most telling first; as `normal` returns them
    "id": (
        "uid", "unique id", "issue key", "key", "task code", "activity id", "milestone id", "item id", "card id",
        "task id", "id", "ref", "no", "no.", "nr", "nr.", "code", "eindeutige id", "einmalige nr",
        "einmalige nummer", "vorgangsschlüssel", "schlüssel", "vorgangs id", "kennung", "id unique", "numéro unique",
        "clé", "clé de ticket", "n°", "identifiant", "id única", "id. única", "clave", "clave de incidencia",
        "identificador", "id univoco", "chiave", "chave", "unieke id", "sleutel", "identyfikator", "klucz",
        "unikt id", "nyckel", "ид", "код", "ключ", "キー", "课题关键字", "编号",
    ),
    "title": (
        "title", "task name", "activity name", "milestone name", "name", "subject", "summary", "card name", "item",
        "item name", "milestone", "task", "activity", "description", "vorgangsname", "aufgabenname", "bezeichnung",
        "titel", "thema", "zusammenfassung", "meilenstein", "vorgang", "aufgabe", "nom de la tâche", "nom", "titre",
        "sujet", "résumé", "jalon", "tâche", "nombre de tarea", "nombre de la tarea", "nombre", "título", "asunto",
        "resumen", "hito", "tarea", "nome attività", "nome", "titolo", "oggetto", "riepilogo", "pietra miliare",
        "taaknaam", "naam", "onderwerp", "samenvatting", "mijlpaal", "nome da tarefa", "assunto", "resumo", "marco",
        "nazwa zadania", "nazwa", "temat", "podsumowanie", "kamień milowy", "uppgift", "namn", "milstolpe",
        "version", "release name", "название задачи", "название", "тема",
        "веха", "タスク名", "要約", "任务名称", "主题",
    ),
    "outline": (
        "wbs", "outline number", "outline", "wbs code", "psp code", "psp", "gliederungsnummer", "n° hiérarchique",
        "code wbs", "edt", "número de esquema",
    ),
    "baseline": (
        "baseline finish", "baseline", "baseline date", "baseline end", "baseline end date", "base end date",
        "bl project finish", "bl finish", "planned finish", "planned", "target finish", "basisplan ende",
        "geplantes ende", "geplant", "basisplan", "fin planifiée", "fin de référence", "fin prévue",
        "fin de línea base", "línea base", "fin prevista", "fine prevista", "geplande einddatum",
        "término da linha de base",
    ),
    "forecast": (
        "forecast", "forecast date", "finish", "finish date", "end date", "due", "due date", "release date", "date",
        "end", "timeline - end", "timeline end", "current finish", "ende", "endtermin", "enddatum", "fällig",
        "fälligkeitsdatum", "fälligkeit", "termin", "datum", "prognose", "fin", "date de fin", "échéance",
        "date d'échéance", "date prévue", "fecha de finalización", "fecha fin", "fecha de fin",
        "fecha de vencimiento", "vencimiento", "fecha", "previsión", "fine", "data fine", "data di scadenza",
        "scadenza", "einde", "einddatum", "vervaldatum", "término", "data de término", "data de conclusão",
        "vencimento", "zakończenie", "data zakończenia", "termin wykonania", "slutdatum", "förfallodatum", "slut",
        "forfaldsdato", "окончание", "срок", "дата окончания", "終了日", "期日", "完成时间", "到期日",
    ),
    "actual": (
        "actual finish", "actual", "actual date", "actual end", "actual end date", "act end date", "met on",
        "completed on", "completed at", "completed date", "done", "resolved", "ist ende", "tatsächliches ende",
        "tatsächlich", "erledigt am", "abgeschlossen am", "fin réelle", "réalisé", "terminé le", "fin real", "real",
        "completado el", "fine effettiva", "werkelijke einddatum", "término real", "zakończenie rzeczywiste",
        "faktiskt slut", "фактическое окончание",
    ),
    "start": (
        "start", "start date", "timeline - start", "timeline start", "current start", "act start date",
        "target start date", "anfang", "beginn", "anfangstermin", "startdatum", "starttermin", "début", "date de début",
        "comienzo", "inicio", "fecha de inicio", "fecha de comienzo", "inizio", "data inizio", "data de início",
        "início", "begin",
        "begindatum", "rozpoczęcie", "data rozpoczęcia", "начало", "дата начала", "開始日", "开始时间",
    ),
    "deadline": (
        "deadline", "contract date", "contractual deadline", "stichtag", "vertragstermin", "date limite",
        "échéance contractuelle", "fecha límite", "scadenza contrattuale", "prazo final",
    ),
    "percent": (
        "% complete", "percent complete", "percent", "%", "progress", "complete pct", "phys complete pct", "% done",
        "done ratio", "% abgeschlossen", "fortschritt", "prozent abgeschlossen", "% achevé", "avancement",
        "% completado", "progreso", "% completamento", "% voltooid", "% concluída", "% ukończenia", "% färdigt",
        "% завершения",
    ),
    "milestone": (
        "milestone", "is milestone", "milestone?", "meilenstein", "ist meilenstein", "jalon", "hito",
        "pietra miliare", "attività cardine", "mijlpaal", "marco", "kamień milowy", "milstolpe", "milepæl", "веха",
        "マイルストーン", "里程碑",
    ),
    "type": (
        "type", "issue type", "tracker", "task type", "activity type", "item type", "kind", "typ", "art",
        "vorgangstyp", "vorgangsart", "type de ticket", "type de tâche", "tipo", "tipo de incidencia",
        "tipo di segnalazione", "issuetype", "soort", "typ zgłoszenia", "тип", "課題タイプ", "类型",
    ),
    "duration": (
        "duration", "original duration", "target drtn hr cnt", "remain drtn hr cnt", "dauer", "durée", "duración",
        "durata", "duur", "duração", "czas trwania", "varaktighet", "varighed", "длительность", "期間", "工期",
    ),
    "summary": (
        "summary", "is summary", "sammelvorgang", "récapitulative", "resumen", "riepilogo", "samenvatting",
    ),
    "active": (
        "active", "is active", "aktiv", "activée", "actif", "activo", "activa", "attiva", "actief", "ativo",
    ),
}  # fmt: skip
ROW_NUMBERS = frozenset({"id", "no", "no.", "nr", "nr.", "n°"})  # in Microsoft Project, the number of the row
BESIDE_ROW_NUMBERS = frozenset(
    {
        "task mode",
        "outline level",
        "predecessors",
        "vorgangsmodus",
        "gliederungsebene",
        "vorgänger",
        "mode de tâche",
        "niveau hiérarchique",
        "prédécesseurs",
        "modo de tarea",
        "nivel de esquema",
        "predecesoras",
    }
)
MILESTONES = frozenset(
    {
        "milestone",
        "milestones",
        "meilenstein",
        "jalon",
        "hito",
        "pietra miliare",
        "mijlpaal",
        "marco",
        "kamień milowy",
        "milstolpe",
        "milepæl",
        "milepel",
        "virstanpylväs",
        "веха",
        "マイルストーン",
        "里程碑",
        "start milestone",
        "finish milestone",
        "tt_mile",
        "tt_finmile",
        "startmeilenstein",
        "endmeilenstein",
    }
)
YES = frozenset(
    {"1", "yes", "y", "true", "x", "✓", "✔", "☑", "ja", "j", "wahr", "oui", "o", "vrai", "sí", "si", "s", "sì", "vero",
     "verdadero", "sim", "verdadeiro", "waar", "tak", "prawda", "sant", "sann", "да", "истина", "はい", "是"}
)  # fmt: skip
NO = frozenset(
    {"", "0", "no", "n", "false", "-", "–", "✗", "✘", "☐", "nein", "falsch", "non", "faux", "falso", "não", "nao",
     "nee", "onwaar", "nie", "fałsz", "nej", "falskt", "нет", "ложь", "いいえ", "否"}
)  # fmt: skip
TITLES = frozenset(WORDS["milestone"]) | {"milestone name"}  # under which every row is a milestone
COSTS = frozenset(  # what a plan as a table may have beside its dates, and is read of budget figures alone
    {"cost", "costs", "baseline cost", "actual cost", "remaining cost", "total cost", "budget", "bac", "pv", "ev", "ac",
     "eac", "planned value", "earned value", "target cost", "planned cost", "act cost", "base cost", "kosten",
     "geplante kosten", "aktuelle kosten", "istkosten", "coût", "coût réel", "coût planifié", "costo", "coste",
     "costo real", "coste real", "coste previsto"}
)  # fmt: skip
_KNOWN = frozenset(word for words in WORDS.values() for word in words)
_NO_TIME = re.compile(r"(?:P(?:0D)?T?)?0+(?:[.,]0+)?\s*[^\d.,]{0,12}\??(?:0M0S)?", re.IGNORECASE)


def normal(heading: str) -> str:
    """Return a heading as it is compared: without case, underscores, doubled blanks, or a mark at its end."""
    return " ".join(heading.casefold().replace("_", " ").split()).rstrip("*:").strip()


def known(cells: list[str]) -> int:
    """Return how many different names of columns stand in a row."""
    return len({normal(cell) for cell in cells} & _KNOWN)


def takes_no_time(cell: str) -> bool:
    """Tell whether a cell is a duration of nothing: "0", "0 days", "0 Tage?", "0,0 d", "PT0H0M0S"."""
    return bool(_NO_TIME.fullmatch(cell.strip()))
