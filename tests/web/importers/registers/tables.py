"""Registers and sheets of figures as people write them, with what has to come out."""

import msgspec

from web.importers.registers.columns import Columns, Kind
from web.importers.registers.reader import Chooser, OfferedTable


def chosen(kind: Kind | None = None, **choice: object) -> Chooser:
    """Return who chooses as a table's headings suggest, but for this choice."""

    class Choosing:
        def kind(self, _header: object, guess: Kind) -> Kind:
            return kind or guess

        def columns(self, offered: OfferedTable) -> Columns:
            return msgspec.structs.replace(offered.suggested, **choice)

    return Choosing()


REGISTERS: dict[str, tuple[str, list[dict[str, object]]]] = {
    "English": (
        (
            "Risk ID,Risk,Cause,Consequence,Likelihood,Impact,Score,Response,Mitigation,Risk Owner,Status\n"
            "R-01,Yard is late,One yard,Handover moves,High,4,16,Mitigate,Second yard,Ann Lee,Open\n"
            "R-02,Permit refused,,Redesign,Very likely,3 - Medium,15,Accept,,Bob,Closed\n"
        ),
        [
            {
                "ref": "R-01", "title": "Yard is late", "cause": "One yard", "effect": "Handover moves",
                "probability": "High", "impact": "4", "response": "Mitigate", "actions": "Second yard",
                "owner": "Ann Lee", "status": "Open", "line": 2,
            },
            {
                "ref": "R-02", "title": "Permit refused", "effect": "Redesign", "probability": "Very likely",
                "impact": "3 - Medium", "response": "Accept", "owner": "Bob", "status": "Closed", "line": 3,
            },
        ],
    ),
    "German, a line above the headings": (
        (
            "Risikoregister Hafen;;;;;;;\n"
            "Nr.;Risiko;Ursache;Auswirkung;Eintrittswahrscheinlichkeit;Schadensausmaß;Maßnahmen;Verantwortlich\n"
            "1;Werft zu spät;Eine Werft;Übergabe verschiebt sich;hoch;sehr hoch;Zweite Werft;Anna\n"
        ),
        [
            {
                "ref": "1", "title": "Werft zu spät", "cause": "Eine Werft", "effect": "Übergabe verschiebt sich",
                "probability": "hoch", "impact": "sehr hoch", "actions": "Zweite Werft", "owner": "Anna", "line": 3,
            }
        ],
    ),
    "German, the impact is called Auswirkung": (
        "Nr;Risiko;Wahrscheinlichkeit;Auswirkung\n1;Werft zu spät;2;3\n",
        [{"ref": "1", "title": "Werft zu spät", "probability": "2", "impact": "3", "line": 2}],
    ),
    "French": (
        (
            "N°;Intitulé du risque;Cause;Conséquence;Probabilité;Gravité;Stratégie;Propriétaire;Statut\n"
            "1;Retard;Un chantier;La remise glisse;Élevée;Moyenne;Réduire;Anne;Ouvert\n"
        ),
        [
            {
                "ref": "1", "title": "Retard", "cause": "Un chantier", "effect": "La remise glisse",
                "probability": "Élevée", "impact": "Moyenne", "response": "Réduire", "owner": "Anne",
                "status": "Ouvert", "line": 2,
            }
        ],
    ),
    "Spanish": (
        (
            "Código;Riesgo;Causa;Efecto;Probabilidad;Impacto;Estrategia;Responsable;Estado\n"
            "R1;Retraso;Un astillero;La entrega;30 %;Alto;Mitigar;Ana;Abierto\n"
        ),
        [
            {
                "ref": "R1", "title": "Retraso", "cause": "Un astillero", "effect": "La entrega", "probability": "30 %",
                "impact": "Alto", "response": "Mitigar", "owner": "Ana", "status": "Abierto", "line": 2,
            }
        ],
    ),
    "before and after the response, with a scale in brackets": (
        (
            "Ref,Risk title,Inherent probability (1-5),Inherent impact (1-5),Residual probability (1-5),"
            "Residual impact (1-5),Category\nA1,Yard,4,4,2,3,Supply\n"
        ),
        [
            {
                "ref": "A1", "title": "Yard", "inherent_probability": "4", "inherent_impact": "4", "probability": "2",
                "impact": "3", "category": "Supply", "line": 2,
            }
        ],
    ),
}  # fmt: skip

FIGURES: dict[str, tuple[str, dict[str, object], list[tuple[str | None, ...]]]] = {
    "by month, sums, known by the budget they end at": (
        (
            "Month,Planned value,Earned value,Actual cost,BAC\n"
            "Jan 2027,100000,90000,95000,1200000\n"
            "Feb 2027,250000,240000,260000,1200000\n"
            "Mar 2027,1200000,,,1200000\n"
        ),
        {},
        [
            ("2027-01-31", "1200000", "100000", "90000", "95000", None),
            ("2027-02-28", "1200000", "250000", "240000", "260000", None),
            ("2027-03-31", "1200000", "1200000", None, None, None),
        ],
    ),
    "by quarter, of each period, as the heading says": (
        "Quarter,Planned per quarter,Actual per quarter\nQ1 2027,100,90\nQ2 2027,50,70\nQ3 2027,80,\n",
        {},
        [
            ("2027-03-31", None, "100", None, "90", None),
            ("2027-06-30", None, "150", None, "160", None),
            ("2027-09-30", None, "230", None, None, None),
        ],
    ),
    "German, thousands, sums as somebody said": (
        (
            "Stichtag;Planwert (T€);Fertigstellungswert (T€);Istkosten (T€)\n"
            "31.01.2027;100,5;90;95\n28.02.2027;1.250,5;240;260\n"
        ),
        {"amounts": "sums"},
        [
            ("2027-01-31", None, "100500", "90000", "95000", None),
            ("2027-02-28", None, "1250500", "240000", "260000", None),
        ],
    ),
    "one figure a row": (
        'Status date,2027-03-31\nBAC,"1,250,000.00"\nPV,600000\nEV,550000\nAC,610000\nEAC,1300000\n',
        {},
        [("2027-03-31", "1250000", "600000", "550000", "610000", "1300000")],
    ),
    "periods as columns": (
        ",Jan 2027,Feb 2027,Mar 2027\nPV,100,200,150\nAC,90,180,\n",
        {},
        [
            ("2027-01-31", None, "100", None, "90", None),
            ("2027-02-28", None, "300", None, "270", None),
            ("2027-03-31", None, "450", None, None, None),
        ],
    ),
    "French, with a currency beside each amount and a total": (
        "Mois;Valeur planifiée cumulée;Coût réel cumulé\njanv. 2027;1 000,50 €;900 €\nfévr. 2027;2 000 €;\nTotal;2 000 €;900 €\n",
        {},
        [("2027-01-31", None, "1000.5", None, "900", None), ("2027-02-28", None, "2000", None, None, None)],
    ),
    "a budget of each month is planned spend": (
        "Mes,Presupuesto,Gasto real\n2027-01,100,90\n2027-02,80,\n",
        {},
        [("2027-01-31", None, "100", None, "90", None), ("2027-02-28", None, "180", None, None, None)],
    ),
    "a total budget beside the plan": (
        "Stand;x\n;\nMonat;Plankosten;Ist-Kosten;Gesamtbudget\n01/2027;100;90;180\n02/2027;80;;180\n",
        {},
        [("2027-01-31", "180", "100", None, "90", None), ("2027-02-28", "180", "180", None, None, None)],
    ),
}
