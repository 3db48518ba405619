-- Open sockets of signed-in people, and what each was told last of the jobs: nobody is told the same twice.

CREATE TABLE spendsense.listeners (
    user_id integer NOT NULL REFERENCES spendsense.profiles ON DELETE CASCADE,
    connection_id text NOT NULL CHECK (length(connection_id) <= 200),
    endpoint text NOT NULL CHECK (length(endpoint) <= 500),
    expires_at timestamptz NOT NULL,
    told jsonb,
    PRIMARY KEY (user_id, connection_id)
);
ALTER TABLE spendsense.listeners ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON spendsense.listeners TO spendsense_staff USING (true);
CREATE POLICY oneself ON spendsense.listeners TO spendsense_person USING (user_id = (SELECT spendsense.this_person()));
GRANT SELECT, INSERT, UPDATE, DELETE ON spendsense.listeners TO spendsense_person, spendsense_staff;
