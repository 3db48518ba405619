"""What the money of a transaction means, decided from Plaid's personal finance category, versions 1 and 2.

    wages         pay: it makes payroll and income
    income        other money in; counted as pay only if it comes regularly
    interest      interest charged
    obligation    what one owes anyway: rent, loans, taxes; an expense, but never a subscription
    transfer      between accounts: neither spent nor earned
    card_payment  paying a card's bill: the spending was counted when the card was used
    spend         everything else

Plaid's list: https://plaid.com/documents/pfc-taxonomy-all.csv
"""

from typing import Literal

Flow = Literal["spend", "obligation", "interest", "wages", "income", "transfer", "card_payment"]

UNKNOWN = "OTHER_OTHER"

DETAILED: dict[str, Flow] = {
    "INCOME_WAGES": "wages",
    "INCOME_SALARY": "wages",
    "INCOME_GIG_ECONOMY": "wages",
    "INCOME_MILITARY": "wages",
    "BANK_FEES_INTEREST_CHARGE": "interest",
    "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT": "card_payment",
    "RENT_AND_UTILITIES_RENT": "obligation",
    "TRANSFER_OUT_WITHDRAWAL": "spend",  # cash leaves the accounts to be spent
}
PRIMARY: dict[str, Flow] = {
    "INCOME": "income",
    "TRANSFER_IN": "transfer",
    "TRANSFER_OUT": "transfer",
    "LOAN_PAYMENTS": "obligation",
    "LOAN_DISBURSEMENTS": "transfer",
    "GOVERNMENT_AND_NON_PROFIT": "obligation",
}


def flow_of(primary: str, detailed: str) -> Flow:
    """The flow of a category; a detailed name wins over its primary one, and what nobody listed is spending."""
    return DETAILED.get(detailed) or PRIMARY.get(primary) or "spend"
