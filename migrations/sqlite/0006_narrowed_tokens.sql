-- Whether a token was made to allow less than its user's role at that time. It stays narrowed, also when its user is
-- lowered to its role.
ALTER TABLE tokens ADD COLUMN narrowed INTEGER NOT NULL DEFAULT 0 CHECK (narrowed IN (0, 1));
UPDATE tokens SET narrowed = 1
WHERE role <> 'owner' AND role <> (SELECT role FROM users WHERE users.id = tokens.user_id)
  AND (role = 'viewer' OR (SELECT role FROM users WHERE users.id = tokens.user_id) = 'owner');
