"""What registers and figures call their columns, and the words in them: English, German, French and Spanish."""

import re
from collections.abc import Mapping, Sequence

from web.importers.table.headings import normal

Words = Mapping[str, tuple[str, ...]]  # by field, the most telling first

RISKS: Words = {
    "ref": (
        "risk identifier", "risk id", "risk ref", "risk reference", "risk no", "risk no.", "risk number", "risk #",
        "ref", "ref.", "reference", "id", "no", "no.", "#", "number", "key", "issue key", "risiko-nr.", "risiko-nr",
        "risiko nr.", "risiko nr", "risiko-id", "risiko id", "risikonummer", "lfd. nr.", "lfd nr", "lfd. nr",
        "kennung", "nummer", "nr.", "nr", "id risque", "id du risque", "n° risque", "n° du risque", "réf.", "réf",
        "référence", "n°", "numéro", "identifiant", "id riesgo", "id del riesgo", "n.º de riesgo", "referencia",
        "código", "nº", "n.º", "número",
    ),
    "title": (
        "risk title", "risk name", "title", "risk", "name", "short description", "summary", "risikotitel",
        "risikobezeichnung", "titel", "bezeichnung", "risiko", "kurzbeschreibung", "titre du risque",
        "intitulé du risque", "nom du risque", "intitulé", "titre", "risque", "nom", "título del riesgo",
        "nombre del riesgo", "título", "riesgo", "nombre", "risk event", "risk statement", "risk description",
        "description of risk", "risikobeschreibung", "description du risque", "descripción del riesgo", "description",
        "beschreibung", "descripción",
    ),
    "event": (
        "event", "risk event", "risk description", "description of risk", "description", "ereignis", "risikoereignis",
        "risikobeschreibung", "beschreibung", "événement", "description du risque", "evento", "descripción del riesgo",
        "descripción",
    ),
    "cause": (
        "cause", "causes", "root cause", "risk cause", "risk source", "ursache", "ursachen", "risikoursache",
        "auslöser", "cause du risque", "origine", "causa", "causas", "causa raíz", "origen",
    ),
    "effect": (
        "effect", "effects", "consequence", "consequences", "impact description", "potential impact", "result",
        "impact", "folge", "folgen", "konsequenz", "konsequenzen", "auswirkung", "auswirkungen", "effet", "effets",
        "conséquence", "conséquences", "efecto", "efectos", "consecuencia", "consecuencias", "impacto",
    ),
    "probability": (
        "residual probability", "residual likelihood", "net probability", "net likelihood", "current probability",
        "current likelihood", "post-mitigation probability", "post-mitigation likelihood", "probability", "likelihood",
        "probability score", "likelihood score", "prob.", "prob", "p", "restwahrscheinlichkeit",
        "netto-wahrscheinlichkeit", "eintrittswahrscheinlichkeit", "wahrscheinlichkeit", "ew",
        "probabilité résiduelle", "probabilité nette", "probabilité", "vraisemblance", "probabilidad residual",
        "probabilidad",
    ),
    "impact": (
        "residual impact", "residual severity", "net impact", "current impact", "post-mitigation impact", "impact",
        "severity", "impact score", "severity score", "consequence score", "consequence", "i", "restauswirkung",
        "netto-auswirkung", "schadensausmaß", "schadensausmass", "schadenshöhe", "auswirkung", "auswirkungen",
        "tragweite", "ausmaß", "schwere", "impact résiduel", "impact net", "gravité", "sévérité", "impacto residual",
        "impacto", "gravedad", "severidad",
    ),
    "inherent_probability": (
        "inherent probability", "inherent likelihood", "initial probability", "initial likelihood",
        "gross probability", "gross likelihood", "pre-mitigation probability", "pre-mitigation likelihood",
        "brutto-wahrscheinlichkeit", "bruttowahrscheinlichkeit", "anfängliche wahrscheinlichkeit",
        "probabilité initiale", "probabilité brute", "probabilité inhérente", "probabilidad inicial",
        "probabilidad inherente",
    ),
    "inherent_impact": (
        "inherent impact", "inherent severity", "initial impact", "gross impact", "pre-mitigation impact",
        "brutto-auswirkung", "bruttoauswirkung", "anfängliche auswirkung", "impact initial", "impact brut",
        "impact inhérent", "gravité initiale", "impacto inicial", "impacto inherente",
    ),
    "response": (
        "response strategy", "risk response category", "response category", "risk response", "response type",
        "response", "strategy", "risk treatment", "treatment", "mitigation strategy", "bewältigungsstrategie",
        "risikostrategie", "strategie", "maßnahmentyp", "reaktion", "risikobehandlung", "behandlung",
        "stratégie de réponse", "stratégie", "réponse", "traitement", "estrategia de respuesta", "estrategia",
        "respuesta", "tratamiento",
    ),
    "actions": (
        "response actions", "mitigation actions", "mitigating actions", "mitigation plan", "mitigation",
        "response plan", "action plan", "actions", "action", "countermeasures", "controls", "gegenmaßnahmen",
        "gegenmaßnahme", "maßnahmen", "maßnahme", "massnahmen", "massnahme", "plan d'action", "plan d'actions",
        "contingency plan", "risk response", "response description", "mesures de réduction", "mesures",
        "actions de maîtrise", "plan de mitigación", "mitigación", "plan de acción", "plan de respuesta", "medidas",
        "acciones",
    ),
    "owner": (
        "risk owner", "owner", "responsible", "assigned to", "assignee", "risikoeigner", "risikoeigentümer",
        "risikoverantwortlicher", "risikoverantwortliche", "verantwortlich", "verantwortlicher", "verantwortliche",
        "eigner", "propriétaire du risque", "propriétaire", "porteur du risque", "porteur", "pilote", "responsable",
        "propietario del riesgo", "propietario", "dueño del riesgo", "dueño", "responsable del riesgo",
    ),
    "author": (
        "risk author", "author", "raised by", "identified by", "reported by", "erfasst von", "gemeldet von", "autor",
        "auteur", "identifié par", "identificado por",
    ),
    "proximity": (
        "proximity", "risk proximity", "zeitliche nähe", "eintrittszeitpunkt", "proximité", "proximidad",
    ),
    "actionee": (
        "actionee", "risk actionee", "action owner", "response owner", "maßnahmenverantwortlicher", "umsetzer",
        "responsable de l'action", "responsable de la acción",
    ),
    "category": (
        "risk category", "category", "risk type", "type", "area", "risikokategorie", "kategorie", "risikoart",
        "bereich", "catégorie de risque", "catégorie", "type de risque", "categoría de riesgo", "categoría",
        "tipo de riesgo", "tipo",
    ),
    "status": (
        "risk status", "status", "state", "open/closed", "risikostatus", "zustand", "statut", "état",
        "estado del riesgo", "estado",
    ),
}  # fmt: skip
SCORED = ("probability", "impact", "inherent_probability", "inherent_impact")
RISK_TITLES = frozenset(
    {"risk", "risk title", "risk name", "risk event", "risk statement", "risk description", "risk id", "risk ref",
     "risk no", "risk no.", "risk number", "risk owner", "risk category", "risiko", "risikotitel", "risikobezeichnung",
     "risikobeschreibung", "risiko-nr.", "risiko-id", "risikoeigner", "risque", "titre du risque", "nom du risque",
     "description du risque", "riesgo", "título del riesgo", "nombre del riesgo", "descripción del riesgo",
     "id del riesgo"}
)  # fmt: skip

FIGURES: Words = {
    "date": (
        "status date", "data date", "reporting date", "as of", "period end", "month end", "week ending", "period",
        "month", "quarter", "date", "year", "stichtag", "statusdatum", "berichtsmonat", "berichtsdatum", "monat",
        "quartal", "periode", "datum", "jahr", "date d'état", "date de statut", "mois", "période", "trimestre",
        "année", "fecha de estado", "fecha de corte", "fecha", "mes", "periodo", "período", "año",
    ),
    "bac": (
        "bac", "budget at completion", "approved budget", "total budget", "budget", "gesamtbudget",
        "genehmigtes budget", "budget à l'achèvement", "budget approuvé", "budget total", "presupuesto aprobado",
        "presupuesto hasta la conclusión", "presupuesto total", "presupuesto",
    ),
    "pv": (
        "pv", "planned value", "bcws", "planned spend", "planned cost", "planned costs", "spend plan", "planned",
        "plan", "budgeted cost", "planwert", "plankosten", "geplante kosten", "geplant", "valeur planifiée",
        "valeur prévue", "vp", "cbtp", "dépenses prévues", "coût prévu", "coûts prévus", "prévu", "valor planificado",
        "valor planeado", "costo planificado", "coste planificado", "gasto previsto", "previsto", "planificado",
    ),
    "ev": (
        "ev", "earned value", "bcwp", "earned", "fertigstellungswert", "leistungswert", "valeur acquise", "va",
        "cbte", "valor ganado",
    ),
    "ac": (
        "ac", "actual cost", "actual costs", "acwp", "actual spend", "actual", "actuals", "spent", "spend",
        "spent to date", "istkosten", "ist-kosten", "tatsächliche kosten", "ist", "coût réel", "coûts réels",
        "dépenses réelles", "dépensé", "réalisé", "costo real", "coste real", "gasto real", "gastado", "real",
    ),
    "eac": (
        "eac", "estimate at completion", "forecast at completion", "forecast cost", "forecast",
        "geschätzte gesamtkosten", "prognose", "estimation à l'achèvement", "coût final estimé",
        "estimación a la conclusión", "estimado a la conclusión",
    ),
}  # fmt: skip
AMOUNTS = ("bac", "pv", "ev", "ac", "eac")
CUMULATIVE = re.compile(r"\b(?:cum\.?|cumulative|kumuliert\w*|kum\.?|cumul\w*|acumulad\w*|acum\.?|to date)(?:\s|$)")
BY_PERIOD = re.compile(r"\b(?:per (?:period|month|quarter)|monthly|monatlich|je monat|mensuel\w*|mensual\w*)(?:\s|$)")
THOUSANDS = re.compile(
    r"[kt]\s?(?:€|eur|£|gbp|\$|usd|chf)|(?:€|£|\$|eur|gbp|usd|chf)\s?k\b|tsd|thousand|milliers|\bmiles\b|\b000s?\b"
)
MILLIONS = re.compile(r"mio|million|millones|\bm\s?(?:€|eur|£|gbp|\$|usd|chf)|(?:€|£|\$|eur|gbp|usd|chf)\s?m\b")
TOTALS = frozenset(
    {"total", "totals", "grand total", "sum", "summe", "gesamt", "gesamtsumme", "somme", "total général", "suma",
     "total general"}
)  # fmt: skip

# Of 1 (least) to 5 (most) on a scale of five; "low", "medium" and "high" are also all of a scale of three.
RANKS: dict[int, frozenset[str]] = {
    1: frozenset(
        {"very low", "vl", "rare", "remote", "very unlikely", "highly unlikely", "negligible", "insignificant",
         "trivial", "sehr gering", "sehr niedrig", "sehr klein", "sehr unwahrscheinlich", "vernachlässigbar",
         "unbedeutend", "très faible", "très bas", "très basse", "très improbable", "rarissime", "négligeable",
         "insignifiant", "muy bajo", "muy baja", "raro", "rara", "muy improbable", "insignificante",
         "despreciable"}
    ),
    2: frozenset(
        {"low", "l", "unlikely", "minor", "marginal", "gering", "niedrig", "klein", "unwahrscheinlich", "geringfügig",
         "faible", "bas", "basse", "improbable", "peu probable", "mineur", "mineure", "bajo", "baja", "poco probable",
         "menor"}
    ),
    3: frozenset(
        {"medium", "med", "m", "moderate", "possible", "mittel", "mäßig", "moderat", "möglich", "spürbar", "moyen",
         "moyenne", "modéré", "modérée", "medio", "media", "moderado", "moderada", "posible"}
    ),
    4: frozenset(
        {"high", "h", "likely", "probable", "major", "significant", "hoch", "groß", "wahrscheinlich", "kritisch",
         "erheblich", "élevé", "élevée", "fort", "forte", "majeur", "majeure", "alto", "alta", "mayor"}
    ),
    5: frozenset(
        {"very high", "vh", "very likely", "highly likely", "almost certain", "certain", "severe", "catastrophic",
         "extreme", "sehr hoch", "sehr groß", "sehr wahrscheinlich", "fast sicher", "nahezu sicher", "katastrophal",
         "existenzbedrohend", "très élevé", "très élevée", "très fort", "très forte", "très probable",
         "quasi certain", "quasi certaine", "catastrophique", "muy alto", "muy alta", "muy probable", "casi seguro",
         "casi segura", "catastrófico", "catastrófica", "extremo"}
    ),
}  # fmt: skip
RANK_OF = {word: rank for rank, words in RANKS.items() for word in words}
OF_THREE = frozenset(
    {"low", "l", "medium", "med", "m", "high", "h", "gering", "niedrig", "klein", "mittel", "hoch", "groß", "faible",
     "bas", "basse", "moyen", "moyenne", "élevé", "élevée", "fort", "forte", "bajo", "baja", "medio", "media", "alto",
     "alta", "unlikely", "possible", "likely", "minor", "moderate", "major", "unwahrscheinlich", "möglich",
     "wahrscheinlich", "improbable", "probable", "mineur", "modéré", "majeur", "mineure", "modérée", "majeure",
     "posible", "menor", "moderado", "mayor"}
)  # fmt: skip
RESPONSES: dict[str, str] = {
    **dict.fromkeys(
        ("avoid", "avoidance", "eliminate", "terminate", "vermeiden", "vermeidung", "éviter", "évitement", "evitar",
         "eliminar"), "avoid",
    ),
    **dict.fromkeys(
        ("reduce", "mitigate", "mitigation", "reduction", "treat", "control", "vermindern", "verminderung",
         "reduzieren", "verringern", "mindern", "minderung", "réduire", "réduction", "atténuer", "atténuation",
         "reducir", "reducción", "mitigar", "mitigación"), "reduce",
    ),
    **dict.fromkeys(
        ("transfer", "insure", "übertragen", "übertragung", "abwälzen", "transférer", "transfert", "transferir",
         "transferencia", "trasladar"), "transfer",
    ),
    **dict.fromkeys(("share", "sharing", "teilen", "partager", "partage", "compartir"), "share"),
    **dict.fromkeys(
        ("accept", "acceptance", "tolerate", "retain", "akzeptieren", "akzeptanz", "tragen", "hinnehmen", "accepter",
         "acceptation", "aceptar", "aceptación", "asumir"), "accept",
    ),
    **dict.fromkeys(
        ("prepare contingent plans", "contingency", "contingency plan", "contingent plan", "notfallplan",
         "notfallplanung", "plan de contingence", "plan de secours", "plan de contingencia", "contingencia"),
        "prepare_contingent_plans",
    ),
}  # fmt: skip
PROXIMITIES: dict[str, str] = {
    **dict.fromkeys(("imminent", "immediate", "unmittelbar", "imminente", "inminente"), "imminent"),
    **dict.fromkeys(
        ("within stage", "within this stage", "within the stage", "this stage", "in dieser phase", "dans cette étape",
         "dans cette phase", "en esta fase", "en esta etapa"), "within_stage",
    ),
    **dict.fromkeys(
        ("within project", "within the project", "this project", "innerhalb des projekts", "im projekt",
         "dans le projet", "en el proyecto"), "within_project",
    ),
    **dict.fromkeys(
        ("beyond project", "beyond the project", "after the project", "nach dem projekt", "après le projet",
         "au-delà du projet", "después del proyecto"), "beyond_project",
    ),
}  # fmt: skip
KINDS_OF_LOG = frozenset({"risk", "risks", "risiko", "risque", "riesgo"})  # in a log of risks, issues and more
STATES: dict[str, str] = {
    **dict.fromkeys(
        ("open", "active", "new", "identified", "in progress", "ongoing", "monitoring", "monitored", "assessed",
         "draft", "proposed", "live", "offen", "aktiv", "neu", "identifiziert", "in arbeit", "in bearbeitung",
         "laufend", "beobachtet", "ouvert", "ouverte", "actif", "nouveau", "identifié", "en cours", "suivi",
         "abierto", "abierta", "activo", "nuevo", "identificado", "en curso", "en seguimiento"), "open",
    ),
    **dict.fromkeys(
        ("closed", "retired", "expired", "resolved", "done", "cancelled", "canceled", "eliminated", "geschlossen",
         "erledigt", "abgeschlossen", "behoben", "entfallen", "fermé", "fermée", "clos", "close", "clôturé", "résolu",
         "terminé", "expiré", "cerrado", "cerrada", "resuelto", "finalizado", "vencido"), "closed",
    ),
}  # fmt: skip
del STATES["close"]  # French, and in English what one does next
_BRACKETS = re.compile(r"\s*[(\[].*?[)\]]\s*")
_UNITS = re.compile(r"\s+in\s+(?:\S+\s?){1,2}$|\s+(?:[kt]?(?:eur|gbp|usd|chf)|[km]?[€£$]|mio\.?\s?\S*)$")


def plain(heading: str) -> str:
    """Return a heading as it is compared: without case, what stands in brackets, and a unit at its end."""
    bare = re.sub(r"\s+in\s+\S+$", "", normal(_BRACKETS.sub(" ", heading)))
    return bare.removesuffix("%").strip() or normal(heading)


def figure(heading: str) -> str:
    """Return a heading of figures as it is compared: also without a unit, and without a word for sums."""
    bare = _UNITS.sub("", plain(heading))
    return " ".join(BY_PERIOD.sub(" ", CUMULATIVE.sub(" ", bare)).split()) or bare


def named(names: Sequence[str], words: Words) -> dict[str, list[int]]:
    """Return the columns that are called like each field, the most telling first."""
    return {
        field: [at for word in some for at, name in enumerate(names) if name == word] for field, some in words.items()
    }
