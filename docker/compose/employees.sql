-- The tables of connector-configs/debezium-employee-connector.json, with something in them.
CREATE TABLE employees (
    id serial PRIMARY KEY,
    first_name varchar(100) NOT NULL,
    last_name varchar(100) NOT NULL,
    email varchar(200) NOT NULL,
    department varchar(100),
    created_at timestamp DEFAULT current_timestamp
);

CREATE TABLE employee_activities (
    id serial PRIMARY KEY,
    employee_id integer REFERENCES employees (id),
    activity varchar(100) NOT NULL,
    duration integer,
    address inet,
    notes text,
    created_at timestamp DEFAULT current_timestamp
);

INSERT INTO employees (first_name, last_name, email, department) VALUES
    ('Ada', 'Meier', 'ada@example.com', 'Research'),
    ('Jonas', 'Berg', 'jonas@example.com', 'Sales');

INSERT INTO employee_activities (employee_id, activity, duration, address, notes) VALUES
    (1, 'login', NULL, '192.0.2.7', NULL),
    (2, 'meeting', 45, NULL, 'with a customer');
