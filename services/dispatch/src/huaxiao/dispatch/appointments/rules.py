"""How a county makes appointments."""

from huaxiao.dispatch.county_rules import CountyRules
from huaxiao.dispatch.tables import appointment_rules
from huaxiao.shared.wire.appointments import AppointmentRules, AppointmentRulesIn

RULES = CountyRules(appointment_rules, AppointmentRulesIn, AppointmentRules)
