SELECT detailed_name, category_id FROM spendsense.categories WHERE detailed_name = ANY(%(detailed_name)s)
