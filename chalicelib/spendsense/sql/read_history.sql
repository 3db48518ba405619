SELECT as_of, measured_at, figures FROM spendsense.survey_history ORDER BY as_of DESC LIMIT %(limit)s
