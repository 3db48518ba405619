SELECT concert_id, CAST(:as_of AS DATE) AS as_of FROM concerts WHERE concert_id IN ({concert_ids})
