SELECT measured_at, figures FROM spendsense.survey
