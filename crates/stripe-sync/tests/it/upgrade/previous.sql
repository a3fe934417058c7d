CREATE SCHEMA stripe;
CREATE TABLE stripe._meta (
    key text NOT NULL,
    value text NOT NULL
);
CREATE TABLE stripe._migrations (
    catalog_version text NOT NULL,
    migrated_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE stripe._quarantine (
    table_name text NOT NULL,
    account_id text NOT NULL,
    id text NOT NULL,
    reason text NOT NULL,
    sqlstate text,
    request_id text,
    seen_at timestamp with time zone NOT NULL,
    object text NOT NULL
);
CREATE TABLE stripe._runs (
    id bigint NOT NULL,
    account_id text NOT NULL,
    identity text NOT NULL,
    objects text NOT NULL,
    range text NOT NULL,
    since bigint,
    until bigint,
    catalog_version text NOT NULL,
    status text DEFAULT 'running'::text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone,
    event_cursor bigint NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE stripe._runs ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stripe._runs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE stripe._slices (
    id bigint NOT NULL,
    run_id bigint NOT NULL,
    stream text NOT NULL,
    part integer NOT NULL,
    lo bigint,
    hi bigint,
    trail jsonb DEFAULT '[]'::jsonb NOT NULL,
    top bigint,
    bottom bigint,
    rows bigint DEFAULT 0 NOT NULL,
    pages bigint DEFAULT 0 NOT NULL,
    requests bigint DEFAULT 0 NOT NULL,
    restarts integer DEFAULT 0 NOT NULL,
    seq bigint DEFAULT 0 NOT NULL,
    epoch bigint DEFAULT 0 NOT NULL,
    owner text,
    lease_until timestamp with time zone
)
WITH (fillfactor='30', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='200');
ALTER TABLE stripe._slices ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME stripe._slices_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE stripe._streams (
    run_id bigint NOT NULL,
    stream text NOT NULL,
    status text DEFAULT 'running'::text NOT NULL,
    part integer DEFAULT 0 NOT NULL,
    unfiltered boolean DEFAULT false NOT NULL,
    rows bigint DEFAULT 0 NOT NULL,
    requests bigint DEFAULT 0 NOT NULL,
    message text,
    request_id text,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='50');
CREATE TABLE stripe._tombstones (
    table_name text NOT NULL,
    account_id text NOT NULL,
    id text NOT NULL,
    deleted_at timestamp with time zone NOT NULL
);
CREATE TABLE stripe.accounts (
    id text NOT NULL,
    object text,
    business_profile jsonb,
    business_type text,
    capabilities jsonb,
    charges_enabled boolean,
    company jsonb,
    controller jsonb,
    country text,
    created bigint,
    default_currency text,
    deleted boolean,
    details_submitted boolean,
    email text,
    external_accounts jsonb,
    future_requirements jsonb,
    groups jsonb,
    individual jsonb,
    metadata jsonb,
    payouts_enabled boolean,
    requirements jsonb,
    settings jsonb,
    tos_acceptance jsonb,
    type text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.active_entitlements (
    id text NOT NULL,
    object text,
    livemode boolean,
    feature text,
    customer text,
    lookup_key text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.apple_pay_domains (
    id text NOT NULL,
    object text,
    created bigint,
    deleted boolean,
    domain_name text,
    livemode boolean,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.application_fees (
    id text NOT NULL,
    object text,
    account text,
    amount bigint,
    amount_refunded bigint,
    application text,
    balance_transaction text,
    charge text,
    created bigint,
    currency text,
    fee_source jsonb,
    livemode boolean,
    originating_transaction text,
    refunded boolean,
    refunds jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.balance_transactions (
    id text NOT NULL,
    object text,
    amount bigint,
    available_on bigint,
    balance_type text,
    created bigint,
    currency text,
    description text,
    exchange_rate numeric,
    fee bigint,
    fee_details jsonb,
    net bigint,
    reporting_category text,
    source text,
    status text,
    type text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.billing_alerts (
    id text NOT NULL,
    object text,
    alert_type text,
    livemode boolean,
    status text,
    title text,
    usage_threshold jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.billing_credit_balance_transactions (
    id text NOT NULL,
    object text,
    created bigint,
    credit jsonb,
    credit_grant text,
    debit jsonb,
    effective_at bigint,
    livemode boolean,
    test_clock text,
    type text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.billing_credit_grants (
    id text NOT NULL,
    object text,
    amount jsonb,
    applicability_config jsonb,
    category text,
    created bigint,
    customer text,
    customer_account text,
    effective_at bigint,
    expires_at bigint,
    livemode boolean,
    metadata jsonb,
    name text,
    priority bigint,
    test_clock text,
    updated bigint,
    voided_at bigint,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.billing_meters (
    id text NOT NULL,
    object text,
    created bigint,
    customer_mapping jsonb,
    default_aggregation jsonb,
    display_name text,
    event_name text,
    event_time_window text,
    livemode boolean,
    status text,
    status_transitions jsonb,
    updated bigint,
    value_settings jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.billing_portal_configurations (
    id text NOT NULL,
    object text,
    active boolean,
    application text,
    business_profile jsonb,
    created bigint,
    default_return_url text,
    features jsonb,
    is_default boolean,
    livemode boolean,
    login_page jsonb,
    metadata jsonb,
    name text,
    updated bigint,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.charges (
    id text NOT NULL,
    object text,
    paid boolean,
    "order" text,
    amount bigint,
    review text,
    source jsonb,
    status text,
    created bigint,
    dispute text,
    invoice text,
    outcome jsonb,
    refunds jsonb,
    updated bigint,
    captured boolean,
    currency text,
    customer text,
    livemode boolean,
    metadata jsonb,
    refunded boolean,
    shipping jsonb,
    application text,
    description text,
    destination text,
    failure_code text,
    on_behalf_of text,
    fraud_details jsonb,
    receipt_email text,
    payment_intent text,
    receipt_number text,
    transfer_group text,
    amount_refunded bigint,
    application_fee text,
    failure_message text,
    source_transfer text,
    balance_transaction text,
    statement_descriptor text,
    payment_method_details jsonb,
    amount_captured bigint,
    application_fee_amount bigint,
    authorization_code text,
    billing_details jsonb,
    calculated_statement_descriptor text,
    disputed boolean,
    failure_balance_transaction text,
    level3 jsonb,
    payment_method text,
    presentment_details jsonb,
    radar_options jsonb,
    receipt_url text,
    statement_descriptor_suffix text,
    transfer text,
    transfer_data jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.checkout_session_line_items (
    id text NOT NULL,
    object text,
    amount_discount bigint,
    amount_subtotal bigint,
    amount_tax bigint,
    amount_total bigint,
    currency text,
    description text,
    price text,
    quantity bigint,
    checkout_session text,
    adjustable_quantity jsonb,
    discounts jsonb,
    metadata jsonb,
    taxes jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.checkout_sessions (
    id text NOT NULL,
    object text,
    adaptive_pricing jsonb,
    after_expiration jsonb,
    allow_promotion_codes boolean,
    amount_subtotal bigint,
    amount_total bigint,
    automatic_tax jsonb,
    billing_address_collection text,
    cancel_url text,
    client_reference_id text,
    client_secret text,
    collected_information jsonb,
    consent jsonb,
    consent_collection jsonb,
    created bigint,
    currency text,
    currency_conversion jsonb,
    custom_fields jsonb,
    custom_text jsonb,
    customer text,
    customer_creation text,
    customer_details jsonb,
    customer_email text,
    discounts jsonb,
    expires_at bigint,
    invoice text,
    invoice_creation jsonb,
    livemode boolean,
    locale text,
    metadata jsonb,
    mode text,
    optional_items jsonb,
    payment_intent text,
    payment_link text,
    payment_method_collection text,
    payment_method_configuration_details jsonb,
    payment_method_options jsonb,
    payment_method_types jsonb,
    payment_status text,
    permissions jsonb,
    phone_number_collection jsonb,
    presentment_details jsonb,
    recovered_from text,
    redirect_on_completion text,
    return_url text,
    saved_payment_method_options jsonb,
    setup_intent text,
    shipping_address_collection jsonb,
    shipping_cost jsonb,
    shipping_details jsonb,
    shipping_options jsonb,
    status text,
    submit_type text,
    subscription text,
    success_url text,
    tax_id_collection jsonb,
    total_details jsonb,
    ui_mode text,
    url text,
    wallet_options jsonb,
    branding_settings jsonb,
    customer_account text,
    excluded_payment_method_types jsonb,
    integration_identifier text,
    line_items jsonb,
    managed_payments jsonb,
    name_collection jsonb,
    origin_context text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.climate_orders (
    id text NOT NULL,
    object text,
    amount_fees bigint,
    amount_subtotal bigint,
    amount_total bigint,
    beneficiary jsonb,
    canceled_at bigint,
    cancellation_reason text,
    certificate text,
    confirmed_at bigint,
    created bigint,
    currency text,
    delayed_at bigint,
    delivered_at bigint,
    delivery_details jsonb,
    expected_delivery_year bigint,
    livemode boolean,
    metadata jsonb,
    metric_tons text,
    product text,
    product_substituted_at bigint,
    status text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.climate_products (
    id text NOT NULL,
    object text,
    created bigint,
    current_prices_per_metric_ton jsonb,
    delivery_year bigint,
    livemode boolean,
    metric_tons_available text,
    name text,
    suppliers jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.climate_suppliers (
    id text NOT NULL,
    object text,
    info_url text,
    livemode boolean,
    locations jsonb,
    name text,
    removal_pathway text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.country_specs (
    id text NOT NULL,
    object text,
    default_currency text,
    supported_bank_account_currencies jsonb,
    supported_payment_currencies jsonb,
    supported_payment_methods jsonb,
    supported_transfer_countries jsonb,
    verification_fields jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.coupons (
    id text NOT NULL,
    object text,
    name text,
    valid boolean,
    created bigint,
    updated bigint,
    currency text,
    duration text,
    livemode boolean,
    metadata jsonb,
    redeem_by bigint,
    amount_off bigint,
    percent_off double precision,
    times_redeemed bigint,
    max_redemptions bigint,
    duration_in_months bigint,
    percent_off_precise double precision,
    applies_to jsonb,
    currency_options jsonb,
    deleted boolean,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.credit_note_line_items (
    id text NOT NULL,
    object text,
    amount bigint,
    description text,
    discount_amount bigint,
    discount_amounts jsonb,
    invoice_line_item text,
    livemode boolean,
    metadata jsonb,
    pretax_credit_amounts jsonb,
    quantity bigint,
    tax_rates jsonb,
    taxes jsonb,
    type text,
    unit_amount bigint,
    unit_amount_decimal text,
    credit_note text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.credit_notes (
    id text NOT NULL,
    object text,
    amount bigint,
    amount_shipping bigint,
    created bigint,
    currency text,
    customer text,
    customer_balance_transaction text,
    discount_amount bigint,
    discount_amounts jsonb,
    invoice text,
    lines jsonb,
    livemode boolean,
    memo text,
    metadata jsonb,
    number text,
    out_of_band_amount bigint,
    pdf text,
    reason text,
    refund text,
    shipping_cost jsonb,
    status text,
    subtotal bigint,
    subtotal_excluding_tax bigint,
    tax_amounts jsonb,
    total bigint,
    total_excluding_tax bigint,
    type text,
    voided_at text,
    customer_account text,
    effective_at bigint,
    post_payment_amount bigint,
    pre_payment_amount bigint,
    pretax_credit_amounts jsonb,
    refunds jsonb,
    total_taxes jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.customers (
    id text NOT NULL,
    object text,
    address jsonb,
    description text,
    email text,
    metadata jsonb,
    name text,
    phone text,
    shipping jsonb,
    balance bigint,
    created bigint,
    currency text,
    default_source text,
    delinquent boolean,
    discount jsonb,
    invoice_prefix text,
    invoice_settings jsonb,
    livemode boolean,
    next_invoice_sequence bigint,
    preferred_locales jsonb,
    tax_exempt text,
    deleted boolean,
    business_name text,
    cash_balance jsonb,
    customer_account text,
    individual_name text,
    invoice_credit_balance jsonb,
    sources jsonb,
    subscriptions jsonb,
    tax jsonb,
    tax_ids jsonb,
    test_clock text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.disputes (
    id text NOT NULL,
    object text,
    amount bigint,
    charge text,
    reason text,
    status text,
    created bigint,
    updated bigint,
    currency text,
    evidence jsonb,
    livemode boolean,
    metadata jsonb,
    evidence_details jsonb,
    balance_transactions jsonb,
    is_charge_refundable boolean,
    payment_intent text,
    enhanced_eligibility_types jsonb,
    network_reason_code text,
    payment_method_details jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.early_fraud_warnings (
    id text NOT NULL,
    object text,
    actionable boolean,
    charge text,
    created bigint,
    fraud_type text,
    livemode boolean,
    payment_intent text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.events (
    id text NOT NULL,
    object text,
    data jsonb,
    type text,
    created bigint,
    request text,
    updated bigint,
    livemode boolean,
    api_version text,
    pending_webhooks bigint,
    account text,
    context text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.exchange_rates (
    id text NOT NULL,
    object text,
    rates jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.features (
    id text NOT NULL,
    object text,
    livemode boolean,
    name text,
    lookup_key text,
    active boolean,
    metadata jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.file_links (
    id text NOT NULL,
    object text,
    created bigint,
    expired boolean,
    expires_at bigint,
    file text,
    livemode boolean,
    metadata jsonb,
    url text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.files (
    id text NOT NULL,
    object text,
    created bigint,
    expires_at bigint,
    filename text,
    links jsonb,
    purpose text,
    size bigint,
    title text,
    type text,
    url text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.financial_connections_accounts (
    id text NOT NULL,
    object text,
    account_holder jsonb,
    account_numbers jsonb,
    balance jsonb,
    balance_refresh jsonb,
    category text,
    created bigint,
    display_name text,
    institution_name text,
    last4 text,
    livemode boolean,
    ownership text,
    ownership_refresh jsonb,
    permissions jsonb,
    status text,
    status_details jsonb,
    subcategory text,
    subscriptions jsonb,
    supported_payment_method_types jsonb,
    transaction_refresh jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.forwarding_requests (
    id text NOT NULL,
    object text,
    created bigint,
    livemode boolean,
    metadata jsonb,
    payment_method text,
    replacements jsonb,
    request_context jsonb,
    request_details jsonb,
    response_details jsonb,
    url text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.identity_verification_reports (
    id text NOT NULL,
    object text,
    client_reference_id text,
    created bigint,
    document jsonb,
    email jsonb,
    id_number jsonb,
    livemode boolean,
    options jsonb,
    phone jsonb,
    selfie jsonb,
    type text,
    verification_flow text,
    verification_session text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.identity_verification_sessions (
    id text NOT NULL,
    object text,
    client_reference_id text,
    client_secret text,
    created bigint,
    last_error jsonb,
    last_verification_report text,
    livemode boolean,
    metadata jsonb,
    options jsonb,
    provided_details jsonb,
    redaction jsonb,
    related_customer text,
    related_customer_account text,
    related_person jsonb,
    status text,
    type text,
    url text,
    verification_flow text,
    verified_outputs jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.invoice_line_items (
    id text NOT NULL,
    object text,
    amount bigint,
    currency text,
    description text,
    discount_amounts jsonb,
    discountable boolean,
    discounts jsonb,
    invoice text,
    livemode boolean,
    metadata jsonb,
    parent jsonb,
    period jsonb,
    pretax_credit_amounts jsonb,
    pricing jsonb,
    quantity bigint,
    quantity_decimal text,
    subscription text,
    subtotal bigint,
    taxes jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.invoice_payments (
    id text NOT NULL,
    object text,
    amount_paid bigint,
    amount_requested bigint,
    created bigint,
    currency text,
    invoice text,
    is_default boolean,
    livemode boolean,
    payment jsonb,
    status text,
    status_transitions jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.invoice_rendering_templates (
    id text NOT NULL,
    object text,
    created bigint,
    livemode boolean,
    metadata jsonb,
    nickname text,
    status text,
    version bigint,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.invoiceitems (
    id text NOT NULL,
    object text,
    amount bigint,
    currency text,
    customer text,
    customer_account text,
    date bigint,
    deleted boolean,
    description text,
    discountable boolean,
    discounts jsonb,
    invoice text,
    livemode boolean,
    metadata jsonb,
    net_amount bigint,
    parent jsonb,
    period jsonb,
    pricing jsonb,
    proration boolean,
    proration_details jsonb,
    quantity bigint,
    quantity_decimal text,
    tax_rates jsonb,
    test_clock text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.invoices (
    id text NOT NULL,
    object text,
    auto_advance boolean,
    collection_method text,
    currency text,
    description text,
    hosted_invoice_url text,
    lines jsonb,
    metadata jsonb,
    period_end bigint,
    period_start bigint,
    status text,
    total bigint,
    account_country text,
    account_name text,
    account_tax_ids jsonb,
    amount_due bigint,
    amount_paid bigint,
    amount_remaining bigint,
    application_fee_amount bigint,
    attempt_count bigint,
    attempted boolean,
    billing_reason text,
    created bigint,
    custom_fields jsonb,
    customer_address jsonb,
    customer_email text,
    customer_name text,
    customer_phone text,
    customer_shipping jsonb,
    customer_tax_exempt text,
    customer_tax_ids jsonb,
    default_tax_rates jsonb,
    discount jsonb,
    discounts jsonb,
    due_date bigint,
    ending_balance bigint,
    footer text,
    invoice_pdf text,
    last_finalization_error jsonb,
    livemode boolean,
    next_payment_attempt bigint,
    number text,
    paid boolean,
    payment_settings jsonb,
    post_payment_credit_notes_amount bigint,
    pre_payment_credit_notes_amount bigint,
    receipt_number text,
    starting_balance bigint,
    statement_descriptor text,
    status_transitions jsonb,
    subtotal bigint,
    tax bigint,
    total_discount_amounts jsonb,
    total_tax_amounts jsonb,
    transfer_data jsonb,
    webhooks_delivered_at bigint,
    customer text,
    subscription text,
    payment_intent text,
    default_payment_method text,
    default_source text,
    on_behalf_of text,
    charge text,
    amount_overpaid bigint,
    amount_paid_off_stripe bigint,
    amount_shipping bigint,
    application text,
    automatic_tax jsonb,
    automatically_finalizes_at bigint,
    confirmation_secret jsonb,
    customer_account text,
    deleted boolean,
    effective_at bigint,
    from_invoice jsonb,
    issuer jsonb,
    latest_revision text,
    parent jsonb,
    payments jsonb,
    rendering jsonb,
    shipping_cost jsonb,
    shipping_details jsonb,
    subtotal_excluding_tax bigint,
    test_clock text,
    threshold_reason jsonb,
    total_excluding_tax bigint,
    total_pretax_credit_amounts jsonb,
    total_taxes jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.issuing_authorizations (
    id text NOT NULL,
    object text,
    amount bigint,
    amount_details jsonb,
    approved boolean,
    authorization_method text,
    balance_transactions jsonb,
    card jsonb,
    card_presence text,
    cardholder text,
    created bigint,
    currency text,
    fleet jsonb,
    fraud_challenges jsonb,
    fuel jsonb,
    livemode boolean,
    merchant_amount bigint,
    merchant_currency text,
    merchant_data jsonb,
    metadata jsonb,
    network_data jsonb,
    pending_request jsonb,
    request_history jsonb,
    status text,
    token text,
    transactions jsonb,
    treasury jsonb,
    verification_data jsonb,
    verified_by_fraud_challenge boolean,
    wallet text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.issuing_cardholders (
    id text NOT NULL,
    object text,
    billing jsonb,
    company jsonb,
    created bigint,
    email text,
    individual jsonb,
    livemode boolean,
    metadata jsonb,
    name text,
    phone_number text,
    preferred_locales jsonb,
    requirements jsonb,
    spending_controls jsonb,
    status text,
    type text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.issuing_cards (
    id text NOT NULL,
    object text,
    brand text,
    cancellation_reason text,
    cardholder jsonb,
    created bigint,
    currency text,
    cvc text,
    exp_month bigint,
    exp_year bigint,
    financial_account text,
    last4 text,
    latest_fraud_warning jsonb,
    lifecycle_controls jsonb,
    livemode boolean,
    metadata jsonb,
    number text,
    personalization_design text,
    replaced_by text,
    replacement_for text,
    replacement_reason text,
    second_line text,
    shipping jsonb,
    spending_controls jsonb,
    status text,
    type text,
    wallets jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.issuing_disputes (
    id text NOT NULL,
    object text,
    amount bigint,
    balance_transactions jsonb,
    created bigint,
    currency text,
    evidence jsonb,
    livemode boolean,
    loss_reason text,
    metadata jsonb,
    status text,
    transaction text,
    treasury jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.issuing_personalization_designs (
    id text NOT NULL,
    object text,
    card_logo text,
    carrier_text jsonb,
    created bigint,
    livemode boolean,
    lookup_key text,
    metadata jsonb,
    name text,
    physical_bundle text,
    preferences jsonb,
    rejection_reasons jsonb,
    status text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.issuing_physical_bundles (
    id text NOT NULL,
    object text,
    features jsonb,
    livemode boolean,
    name text,
    status text,
    type text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.issuing_transactions (
    id text NOT NULL,
    object text,
    amount bigint,
    amount_details jsonb,
    "authorization" text,
    balance_transaction text,
    card text,
    cardholder text,
    created bigint,
    currency text,
    dispute text,
    livemode boolean,
    merchant_amount bigint,
    merchant_currency text,
    merchant_data jsonb,
    metadata jsonb,
    network_data jsonb,
    purchase_details jsonb,
    token text,
    treasury jsonb,
    type text,
    wallet text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.payment_intents (
    id text NOT NULL,
    object text,
    amount bigint,
    amount_capturable bigint,
    amount_details jsonb,
    amount_received bigint,
    application text,
    application_fee_amount bigint,
    automatic_payment_methods text,
    canceled_at bigint,
    cancellation_reason text,
    capture_method text,
    client_secret text,
    confirmation_method text,
    created bigint,
    currency text,
    customer text,
    description text,
    invoice text,
    last_payment_error text,
    livemode boolean,
    metadata jsonb,
    next_action text,
    on_behalf_of text,
    payment_method text,
    payment_method_options jsonb,
    payment_method_types jsonb,
    processing text,
    receipt_email text,
    review text,
    setup_future_usage text,
    shipping jsonb,
    statement_descriptor text,
    statement_descriptor_suffix text,
    status text,
    transfer_data jsonb,
    transfer_group text,
    allowed_payment_method_types jsonb,
    customer_account text,
    excluded_payment_method_types jsonb,
    hooks jsonb,
    latest_charge text,
    managed_payments jsonb,
    payment_details jsonb,
    payment_method_configuration_details jsonb,
    presentment_details jsonb,
    source text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.payment_links (
    id text NOT NULL,
    object text,
    active boolean,
    after_completion jsonb,
    allow_promotion_codes boolean,
    application text,
    application_fee_amount bigint,
    application_fee_percent numeric,
    automatic_tax jsonb,
    billing_address_collection text,
    consent_collection jsonb,
    currency text,
    custom_fields jsonb,
    custom_text jsonb,
    customer_creation text,
    inactive_message text,
    invoice_creation jsonb,
    line_items jsonb,
    livemode boolean,
    managed_payments jsonb,
    metadata jsonb,
    name_collection jsonb,
    on_behalf_of text,
    optional_items jsonb,
    payment_intent_data jsonb,
    payment_method_collection text,
    payment_method_options jsonb,
    payment_method_types jsonb,
    phone_number_collection jsonb,
    restrictions jsonb,
    shipping_address_collection jsonb,
    shipping_options jsonb,
    submit_type text,
    subscription_data jsonb,
    tax_id_collection jsonb,
    transfer_data jsonb,
    url text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.payment_method_configurations (
    id text NOT NULL,
    object text,
    acss_debit jsonb,
    active boolean,
    affirm jsonb,
    afterpay_clearpay jsonb,
    alipay jsonb,
    alma jsonb,
    amazon_pay jsonb,
    apple_pay jsonb,
    application text,
    au_becs_debit jsonb,
    bacs_debit jsonb,
    bancontact jsonb,
    billie jsonb,
    bizum jsonb,
    blik jsonb,
    boleto jsonb,
    card jsonb,
    cartes_bancaires jsonb,
    cashapp jsonb,
    crypto jsonb,
    customer_balance jsonb,
    eps jsonb,
    fpx jsonb,
    giropay jsonb,
    google_pay jsonb,
    grabpay jsonb,
    ideal jsonb,
    is_default boolean,
    jcb jsonb,
    kakao_pay jsonb,
    klarna jsonb,
    konbini jsonb,
    kr_card jsonb,
    link jsonb,
    livemode boolean,
    mb_way jsonb,
    mobilepay jsonb,
    multibanco jsonb,
    name text,
    naver_pay jsonb,
    nz_bank_account jsonb,
    oxxo jsonb,
    p24 jsonb,
    parent text,
    pay_by_bank jsonb,
    payco jsonb,
    paynow jsonb,
    paypal jsonb,
    payto jsonb,
    pix jsonb,
    promptpay jsonb,
    revolut_pay jsonb,
    samsung_pay jsonb,
    satispay jsonb,
    scalapay jsonb,
    sepa_debit jsonb,
    sofort jsonb,
    sunbit jsonb,
    swish jsonb,
    twint jsonb,
    upi jsonb,
    us_bank_account jsonb,
    wechat_pay jsonb,
    zip jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.payment_method_domains (
    id text NOT NULL,
    object text,
    amazon_pay jsonb,
    apple_pay jsonb,
    created bigint,
    domain_name text,
    enabled boolean,
    google_pay jsonb,
    klarna jsonb,
    link jsonb,
    livemode boolean,
    paypal jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.payment_methods (
    id text NOT NULL,
    object text,
    created bigint,
    customer text,
    type text,
    billing_details jsonb,
    metadata jsonb,
    card jsonb,
    acss_debit jsonb,
    affirm jsonb,
    afterpay_clearpay jsonb,
    alipay jsonb,
    allow_redisplay text,
    alma jsonb,
    amazon_pay jsonb,
    au_becs_debit jsonb,
    bacs_debit jsonb,
    bancontact jsonb,
    billie jsonb,
    bizum jsonb,
    blik jsonb,
    boleto jsonb,
    card_present jsonb,
    cashapp jsonb,
    crypto jsonb,
    custom jsonb,
    customer_account text,
    customer_balance jsonb,
    eps jsonb,
    fpx jsonb,
    giropay jsonb,
    grabpay jsonb,
    ideal jsonb,
    interac_present jsonb,
    kakao_pay jsonb,
    klarna jsonb,
    konbini jsonb,
    kr_card jsonb,
    link jsonb,
    livemode boolean,
    mb_way jsonb,
    mobilepay jsonb,
    multibanco jsonb,
    naver_pay jsonb,
    nz_bank_account jsonb,
    oxxo jsonb,
    p24 jsonb,
    pay_by_bank jsonb,
    payco jsonb,
    paynow jsonb,
    paypal jsonb,
    payto jsonb,
    pix jsonb,
    promptpay jsonb,
    radar_options jsonb,
    revolut_pay jsonb,
    samsung_pay jsonb,
    satispay jsonb,
    scalapay jsonb,
    sepa_debit jsonb,
    sofort jsonb,
    sunbit jsonb,
    swish jsonb,
    twint jsonb,
    upi jsonb,
    us_bank_account jsonb,
    wechat_pay jsonb,
    zip jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.payment_records (
    id text NOT NULL,
    object text,
    amount jsonb,
    amount_authorized jsonb,
    amount_canceled jsonb,
    amount_failed jsonb,
    amount_guaranteed jsonb,
    amount_refunded jsonb,
    amount_requested jsonb,
    application text,
    created bigint,
    customer_details jsonb,
    customer_presence text,
    description text,
    latest_payment_attempt_record text,
    livemode boolean,
    metadata jsonb,
    payment_method_details jsonb,
    processor_details jsonb,
    reported_by text,
    shipping_details jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.payouts (
    id text NOT NULL,
    object text,
    date text,
    type text,
    amount bigint,
    method text,
    status text,
    created bigint,
    updated bigint,
    currency text,
    livemode boolean,
    metadata jsonb,
    automatic boolean,
    recipient text,
    description text,
    destination text,
    source_type text,
    arrival_date text,
    bank_account jsonb,
    failure_code text,
    transfer_group text,
    amount_reversed bigint,
    failure_message text,
    source_transaction text,
    balance_transaction text,
    statement_descriptor text,
    statement_description text,
    failure_balance_transaction text,
    application_fee text,
    application_fee_amount bigint,
    original_payout text,
    payout_method text,
    reconciliation_status text,
    reversed_by text,
    trace_id jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.plans (
    id text NOT NULL,
    object text,
    active boolean,
    amount bigint,
    created bigint,
    product text,
    currency text,
    "interval" text,
    livemode boolean,
    metadata jsonb,
    nickname text,
    tiers_mode text,
    usage_type text,
    billing_scheme text,
    interval_count bigint,
    aggregate_usage text,
    transform_usage text,
    trial_period_days bigint,
    amount_decimal text,
    deleted boolean,
    meter text,
    tiers jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.prices (
    id text NOT NULL,
    object text,
    active boolean,
    currency text,
    metadata jsonb,
    nickname text,
    recurring jsonb,
    type text,
    unit_amount bigint,
    billing_scheme text,
    created bigint,
    livemode boolean,
    lookup_key text,
    tiers_mode text,
    transform_quantity jsonb,
    unit_amount_decimal text,
    product text,
    currency_options jsonb,
    custom_unit_amount jsonb,
    deleted boolean,
    tax_behavior text,
    tiers jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.products (
    id text NOT NULL,
    object text,
    active boolean,
    description text,
    metadata jsonb,
    name text,
    created bigint,
    images jsonb,
    livemode boolean,
    package_dimensions jsonb,
    shippable boolean,
    statement_descriptor text,
    unit_label text,
    updated bigint,
    url text,
    marketing_features jsonb,
    default_price text,
    deleted boolean,
    tax_code text,
    type text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.promotion_codes (
    id text NOT NULL,
    object text,
    active boolean,
    code text,
    created bigint,
    customer text,
    customer_account text,
    expires_at bigint,
    livemode boolean,
    max_redemptions bigint,
    metadata jsonb,
    promotion jsonb,
    restrictions jsonb,
    times_redeemed bigint,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.quotes (
    id text NOT NULL,
    object text,
    amount_subtotal bigint,
    amount_total bigint,
    application text,
    application_fee_amount bigint,
    application_fee_percent numeric,
    automatic_tax jsonb,
    collection_method text,
    computed jsonb,
    created bigint,
    currency text,
    customer text,
    customer_account text,
    default_tax_rates jsonb,
    description text,
    discounts jsonb,
    expires_at bigint,
    footer text,
    from_quote jsonb,
    header text,
    invoice text,
    invoice_settings jsonb,
    line_items jsonb,
    livemode boolean,
    metadata jsonb,
    number text,
    on_behalf_of text,
    status text,
    status_transitions jsonb,
    subscription text,
    subscription_data jsonb,
    subscription_schedule text,
    test_clock text,
    total_details jsonb,
    transfer_data jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.radar_value_lists (
    id text NOT NULL,
    object text,
    alias text,
    created bigint,
    created_by text,
    deleted boolean,
    item_type text,
    list_items jsonb,
    livemode boolean,
    metadata jsonb,
    name text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.refunds (
    id text NOT NULL,
    object text,
    amount bigint,
    balance_transaction text,
    charge text,
    created bigint,
    currency text,
    destination_details jsonb,
    metadata jsonb,
    payment_intent text,
    reason text,
    receipt_number text,
    source_transfer_reversal text,
    status text,
    transfer_reversal text,
    customer text,
    customer_account text,
    description text,
    failure_balance_transaction text,
    failure_reason text,
    instructions_email text,
    next_action jsonb,
    payment_method text,
    pending_reason text,
    presentment_details jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.reporting_report_runs (
    id text NOT NULL,
    object text,
    created bigint,
    error text,
    livemode boolean,
    parameters jsonb,
    report_type text,
    result jsonb,
    status text,
    succeeded_at bigint,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.reporting_report_types (
    id text NOT NULL,
    object text,
    data_available_end bigint,
    data_available_start bigint,
    default_columns jsonb,
    livemode boolean,
    name text,
    updated bigint,
    version bigint,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.reviews (
    id text NOT NULL,
    object text,
    billing_zip text,
    charge text,
    created bigint,
    closed_reason text,
    livemode boolean,
    ip_address text,
    ip_address_location jsonb,
    open boolean,
    opened_reason text,
    payment_intent text,
    reason text,
    session text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.scheduled_query_runs (
    id text NOT NULL,
    object text,
    created bigint,
    data_load_time bigint,
    error jsonb,
    file jsonb,
    livemode boolean,
    result_available_until bigint,
    sql text,
    status text,
    title text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.setup_intents (
    id text NOT NULL,
    object text,
    created bigint,
    customer text,
    description text,
    payment_method text,
    status text,
    usage text,
    cancellation_reason text,
    latest_attempt text,
    mandate text,
    single_use_mandate text,
    on_behalf_of text,
    allowed_payment_method_types jsonb,
    application text,
    attach_to_self boolean,
    automatic_payment_methods jsonb,
    client_secret text,
    customer_account text,
    excluded_payment_method_types jsonb,
    flow_directions jsonb,
    last_setup_error jsonb,
    livemode boolean,
    managed_payments jsonb,
    metadata jsonb,
    next_action jsonb,
    payment_method_configuration_details jsonb,
    payment_method_options jsonb,
    payment_method_types jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.shipping_rates (
    id text NOT NULL,
    object text,
    active boolean,
    created bigint,
    delivery_estimate jsonb,
    display_name text,
    fixed_amount jsonb,
    livemode boolean,
    metadata jsonb,
    tax_behavior text,
    tax_code text,
    type text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.subscription_items (
    id text NOT NULL,
    object text,
    billing_thresholds jsonb,
    created bigint,
    deleted boolean,
    metadata jsonb,
    quantity bigint,
    price text,
    subscription text,
    tax_rates jsonb,
    current_period_end bigint,
    current_period_start bigint,
    billed_until bigint,
    discounts jsonb,
    plan jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.subscription_schedules (
    id text NOT NULL,
    object text,
    application text,
    canceled_at bigint,
    completed_at bigint,
    created bigint,
    current_phase jsonb,
    customer text,
    default_settings jsonb,
    end_behavior text,
    livemode boolean,
    metadata jsonb,
    phases jsonb,
    released_at bigint,
    released_subscription text,
    status text,
    subscription text,
    test_clock text,
    billing_mode jsonb,
    customer_account text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.subscriptions (
    id text NOT NULL,
    object text,
    cancel_at_period_end boolean,
    current_period_end bigint,
    current_period_start bigint,
    default_payment_method text,
    items jsonb,
    metadata jsonb,
    pending_setup_intent text,
    pending_update jsonb,
    status text,
    application_fee_percent double precision,
    billing_cycle_anchor bigint,
    billing_thresholds jsonb,
    cancel_at bigint,
    canceled_at bigint,
    collection_method text,
    created bigint,
    days_until_due bigint,
    default_source text,
    default_tax_rates jsonb,
    discount jsonb,
    ended_at bigint,
    livemode boolean,
    next_pending_invoice_item_invoice bigint,
    pause_collection jsonb,
    pending_invoice_item_interval jsonb,
    start_date bigint,
    transfer_data jsonb,
    trial_end jsonb,
    trial_start jsonb,
    schedule text,
    customer text,
    latest_invoice text,
    plan text,
    application text,
    automatic_tax jsonb,
    billing_cycle_anchor_config jsonb,
    billing_mode jsonb,
    billing_schedules jsonb,
    cancellation_details jsonb,
    currency text,
    customer_account text,
    description text,
    discounts jsonb,
    invoice_settings jsonb,
    managed_payments jsonb,
    on_behalf_of text,
    payment_settings jsonb,
    presentment_details jsonb,
    test_clock text,
    trial_settings jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE VIEW stripe.sync_status AS
SELECT
    NULL::text AS account_id,
    NULL::bigint AS run_id,
    NULL::text AS run_status,
    NULL::timestamp with time zone AS started_at,
    NULL::timestamp with time zone AS finished_at,
    NULL::text AS range,
    NULL::text AS stream,
    NULL::text AS status,
    NULL::boolean AS unfiltered,
    NULL::bigint AS rows,
    NULL::bigint AS requests,
    NULL::bigint AS open_slices,
    NULL::timestamp with time zone AS leased_until,
    NULL::text AS message,
    NULL::text AS request_id,
    NULL::timestamp with time zone AS updated_at;
CREATE TABLE stripe.tax_codes (
    id text NOT NULL,
    object text,
    description text,
    name text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.tax_ids (
    id text NOT NULL,
    object text,
    country text,
    customer text,
    type text,
    value text,
    created bigint,
    livemode boolean,
    owner jsonb,
    customer_account text,
    deleted boolean,
    verification jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.tax_rates (
    id text NOT NULL,
    object text,
    active boolean,
    country text,
    created bigint,
    description text,
    display_name text,
    effective_percentage numeric,
    flat_amount jsonb,
    inclusive boolean,
    jurisdiction text,
    jurisdiction_level text,
    livemode boolean,
    metadata jsonb,
    percentage numeric,
    rate_type text,
    state text,
    tax_type text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.tax_registrations (
    id text NOT NULL,
    object text,
    active_from bigint,
    country text,
    country_options jsonb,
    created bigint,
    expires_at bigint,
    livemode boolean,
    status text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.terminal_configurations (
    id text NOT NULL,
    object text,
    bbpos_wisepad3 jsonb,
    bbpos_wisepos_e jsonb,
    cellular jsonb,
    deleted boolean,
    is_account_default boolean,
    livemode boolean,
    name text,
    offline jsonb,
    reboot_window jsonb,
    stripe_s700 jsonb,
    stripe_s710 jsonb,
    tipping jsonb,
    verifone_m425 jsonb,
    verifone_p400 jsonb,
    verifone_p630 jsonb,
    verifone_ux700 jsonb,
    verifone_v660p jsonb,
    wifi jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.terminal_locations (
    id text NOT NULL,
    object text,
    address jsonb,
    address_kana jsonb,
    address_kanji jsonb,
    configuration_overrides text,
    deleted boolean,
    display_name text,
    display_name_kana text,
    display_name_kanji text,
    livemode boolean,
    metadata jsonb,
    phone text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.terminal_readers (
    id text NOT NULL,
    object text,
    action jsonb,
    deleted boolean,
    device_sw_version text,
    device_type text,
    ip_address text,
    label text,
    last_seen_at bigint,
    livemode boolean,
    location text,
    metadata jsonb,
    serial_number text,
    status text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.test_clocks (
    id text NOT NULL,
    object text,
    created bigint,
    deleted boolean,
    deletes_after bigint,
    frozen_time bigint,
    livemode boolean,
    name text,
    status text,
    status_details jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.topups (
    id text NOT NULL,
    object text,
    amount bigint,
    balance_transaction text,
    created bigint,
    currency text,
    description text,
    expected_availability_date bigint,
    failure_code text,
    failure_message text,
    initiated_by text,
    livemode boolean,
    metadata jsonb,
    payment_method text,
    payment_method_options jsonb,
    source jsonb,
    statement_descriptor text,
    status text,
    transfer_group text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.transfers (
    id text NOT NULL,
    object text,
    amount bigint,
    amount_reversed bigint,
    balance_transaction text,
    created bigint,
    currency text,
    description text,
    destination text,
    destination_payment text,
    livemode boolean,
    metadata jsonb,
    reversals jsonb,
    reversed boolean,
    source_transaction text,
    source_type text,
    transfer_group text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.treasury_financial_accounts (
    id text NOT NULL,
    object text,
    active_features jsonb,
    balance jsonb,
    country text,
    created bigint,
    features jsonb,
    financial_addresses jsonb,
    is_default boolean,
    livemode boolean,
    metadata jsonb,
    nickname text,
    pending_features jsonb,
    platform_restrictions jsonb,
    restricted_features jsonb,
    status text,
    status_details jsonb,
    supported_currencies jsonb,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE stripe.webhook_endpoints (
    id text NOT NULL,
    object text,
    api_version text,
    application text,
    created bigint,
    deleted boolean,
    description text,
    enabled_events jsonb,
    livemode boolean,
    metadata jsonb,
    secret text,
    status text,
    url text,
    _account_id text NOT NULL,
    _extra jsonb,
    last_synced_at timestamp with time zone,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
INSERT INTO stripe._meta VALUES
	('mode', 'test'),
	('left_out_columns', 'coupons.name customers.email'),
	('uncleared_columns', 'coupons.name');
INSERT INTO stripe._migrations VALUES
	('2026-07-29.dahlia/1', '2026-11-26 01:12:40.090419+00');
INSERT INTO stripe._quarantine VALUES
	('customers', 'acct_1S51VsBLEbiGESim', 'cus_refused', 'cannot write customers: the server refused a value (SQLSTATE 22003)', '22003', 'req_b2e2e96941626fb5', '2026-11-26 01:12:41.11876+00', '{"id":"cus_refused","object":"customer","created":1710000000,"email":null,"metadata":{"n":1e400000}}');
INSERT INTO stripe._runs OVERRIDING SYSTEM VALUE VALUES
	(1, 'acct_1S51VsBLEbiGESim', 'acct_1S51VsBLEbiGESim | customer, product | all time | 2026-07-29.dahlia/1', 'customer, product', 'all time', NULL, NULL, '2026-07-29.dahlia/1', 'incomplete', '2026-11-26 01:12:41.189005+00', '2026-11-26 01:12:41.310746+00', 1795655261),
	(2, 'acct_1S51VsBLEbiGESim', 'acct_1S51VsBLEbiGESim | coupon, customer, invoice, product, subscription | created >= 1600000000, created < 1730000000 | 2026-07-29.dahlia/1', 'coupon, customer, invoice, product, subscription', 'created >= 1600000000, created < 1730000000', 1600000000, 1730000000, '2026-07-29.dahlia/1', 'running', '2026-11-26 01:12:41.471971+00', NULL, 1795655261);
INSERT INTO stripe._slices OVERRIDING SYSTEM VALUE VALUES
	(3, 2, 'coupons', 0, 1706765609, 1730000000, '[["3ZzmvDP5LodIirqPE4oPki", 1714203166], ["4Dc7lJO2OYkGsmt8yI6bGf", 1714123771], ["BENsVFkWAUPBYqsa16aq3J", 1714043998], ["0cJABafsxtp6BCZ7KqYOSS", 1713963846], ["2xnbHLF3cC214GoImsNpSW", 1713883317]]', 1719978213, 1713883317, 99, 1, 1, 0, 1, 1, 'host/boot/1/1', '2026-11-26 01:13:26.543618+00'),
	(8, 2, 'coupons', 0, 1600000000, 1656941658, '[]', NULL, NULL, 0, 0, 0, 0, 0, 1, 'host/boot/1/1', '2026-11-26 01:13:26.600533+00'),
	(9, 2, 'coupons', 0, 1656941658, 1685412487, '[]', NULL, NULL, 0, 0, 0, 0, 0, 1, 'host/boot/1/1', '2026-11-26 01:13:26.650408+00'),
	(10, 2, 'coupons', 0, 1685412487, 1699647902, '[]', NULL, NULL, 0, 0, 0, 0, 0, 1, 'host/boot/1/1', '2026-11-26 01:13:26.6529+00'),
	(11, 2, 'coupons', 0, 1699647902, 1706765609, '[]', NULL, NULL, 0, 0, 0, 0, 0, 1, 'host/boot/1/1', '2026-11-26 01:13:26.679817+00');
INSERT INTO stripe._streams VALUES
	(1, 'products', 'complete', 0, false, 3, 1, NULL, NULL, '2026-11-26 01:12:41.238231+00'),
	(1, 'customers', 'complete', 0, false, 9, 1, NULL, NULL, '2026-11-26 01:12:41.255053+00'),
	(2, 'coupons', 'running', 0, false, 0, 0, NULL, NULL, '2026-11-26 01:12:41.471971+00'),
	(2, 'products', 'complete', 0, false, 2, 1, NULL, NULL, '2026-11-26 01:12:41.543936+00'),
	(2, 'invoices', 'complete', 0, false, 4, 1, NULL, NULL, '2026-11-26 01:12:41.542484+00'),
	(2, 'subscriptions', 'complete', 0, false, 3, 1, NULL, NULL, '2026-11-26 01:12:41.562412+00'),
	(2, 'customers', 'complete', 0, false, 9, 1, NULL, NULL, '2026-11-26 01:12:41.576675+00');
INSERT INTO stripe._tombstones VALUES
	('products', 'acct_1S51VsBLEbiGESim', 'prod_1S1GeoOngo0xNDBSRWoXMRVB', '2026-11-26 01:12:41.05468+00');
INSERT INTO stripe.coupons VALUES
	('0AnI6uFwYQ7GQL69a7y4ro', 'coupon', 'seat basic', true, 1718275000, NULL, 'usd', 'forever', false, '{}', 1721056367, 5213, NULL, 803, 513, NULL, NULL, '{"products": null}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('0BdiccBr72GEMCrvYEVE7q', 'coupon', 'monthly widget seat', false, 1719934357, NULL, 'usd', 'once', false, '{"order_id": "414cfce83d7f8755"}', 1724676702, 29087, NULL, 732, 454, NULL, NULL, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('0cJABafsxtp6BCZ7KqYOSS', 'coupon', 'copper export starter', true, 1713963846, NULL, 'usd', 'once', false, '{"plan": "archive silver basic", "user": "672583", "order_id": "902ed579a66af2ec"}', NULL, 5140, NULL, 191, 787, NULL, NULL, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('0fxH98dOW3C3ZS9v38ip30', 'coupon', 'meadow gateway', true, 1715567627, NULL, 'usd', 'repeating', false, '{"order_id": "f38df3b7fcc0153a"}', NULL, 24080, NULL, 575, NULL, 9, NULL, '{"products": "products_b0bef3d2a4e9bc8b"}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('142irXwX24aATgoQ1tqUGC', 'coupon', 'copper starter', true, 1717870085, NULL, 'usd', 'repeating', false, '{"plan": "gateway widget sync", "user": "882238", "order_id": "a9122e49130737b3"}', 1723537696, NULL, 12.5, 211, 347, 0, 12.5, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('1p5ugp78nxj0WZVSzNSy1y', 'coupon', 'storage quarterly', false, 1715854206, NULL, 'usd', 'forever', false, '{"note": "line one\nline \"two\", été 💶", "plan": "widget quarterly storage", "user": "637853", "order_id": "2e0e89ffd973189a"}', 1716072709, NULL, 25, 960, 92, 6, 25, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('20vrUP34mRzAsdl8vaBIfb', 'coupon', 'training copper', false, 1717196361, NULL, 'usd', 'forever', false, '{}', 1720158922, 47881, NULL, 395, NULL, NULL, NULL, '{"products": "products_bb415d83058ad5bc"}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('2GFWtiNkhyLHLQDILfTeGt', 'coupon', 'copper token support', false, 1716940028, NULL, 'usd', 'forever', false, '{"plan": "basic archive", "user": "658593", "order_id": "cd92c440f7a5998f"}', 1723102747, NULL, 12.5, 200, 889, 7, 12.5, '{"products": "products_d763f52658324347"}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('2RvRgqatUwHGSoJbwomWsp', 'coupon', 'addon seat', true, 1715200897, NULL, 'usd', 'forever', false, '{"order_id": "ff0cb1a5f439cc41"}', 1715520710, NULL, 12.5, 760, NULL, 6, 12.5, '{"products": "products_34da9042e4ef510a"}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('2UE3U0RdWup7k4cM9yDtRh', 'coupon', 'meadow seat upgrade', false, 1718821313, NULL, 'usd', 'forever', false, '{"plan": "upgrade team", "order_id": "1898c3a068a33f44"}', NULL, NULL, 12.5, 189, NULL, 9, 12.5, '{"products": null}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('2Z9ausU517w5S5yzsrG8JL', 'coupon', 'harbour storage', false, 1715495037, NULL, 'usd', 'repeating', false, '{"plan": "basic token", "user": "835195", "order_id": "a333999c944fde53"}', NULL, NULL, 100, 796, NULL, NULL, 100, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('2r15F6wE6GfH1uzhLg9o91', 'coupon', 'quarterly starter', true, 1715422069, NULL, 'usd', 'forever', false, '{"note": "line one\nline \"two\", été 💶", "plan": "support premium cotton", "user": "123867", "order_id": "ca97c60981d51726"}', 1715566033, NULL, 100, 593, NULL, NULL, 100, '{"products": null}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('2xnbHLF3cC214GoImsNpSW', 'coupon', 'license upgrade', true, 1713883317, NULL, 'usd', 'repeating', false, '{"note": "line one\nline \"two\", été 💶", "plan": "ledger meadow", "user": "759845", "order_id": "0d41dce38b782062"}', NULL, NULL, 12.5, 38, 6, 5, 12.5, NULL, NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('3ZzmvDP5LodIirqPE4oPki', 'coupon', 'gateway team basic', true, 1714203166, NULL, 'usd', 'repeating', false, '{"note": "line one\nline \"two\", été 💶", "plan": "training bundle", "user": "997240", "order_id": "1a1b13ee5ea65072"}', 1716785021, 7605, NULL, 611, 165, NULL, NULL, '{"products": "products_ec24d9aef340bb5f"}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('3fwJNT5Tm2GIlD25IzA6th', 'coupon', 'upgrade monthly renewal', true, 1718715075, NULL, 'usd', 'repeating', false, '{"note": "line one\nline \"two\", été 💶", "plan": "sync copper", "user": "620827", "order_id": "d4d5dbfc991b2813"}', 1719918087, NULL, 100, 388, 554, 9, 100, '{"products": "products_d9a4fba331d252e9"}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('3qnfItOddvdDs0SsqKxHT6', 'coupon', 'harbour renewal', true, 1719378591, NULL, 'usd', 'forever', false, '{"note": "line one\nline \"two\", été 💶", "plan": "copper business copper", "user": "280834", "order_id": "28315c237fc50451"}', 1723690199, NULL, 25, 369, NULL, NULL, 25, '{"products": "products_46d73417674a2abe"}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('4Dc7lJO2OYkGsmt8yI6bGf', 'coupon', 'token upgrade sync', true, 1714123771, NULL, 'usd', 'forever', false, '{"plan": "archive support sync", "user": "449356", "order_id": "60cdd158abe23957"}', NULL, NULL, 12.5, 714, 588, 0, 12.5, '{"products": null}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('4UxcOnTzR0tJGQkxIJuVFz', 'coupon', 'archive copper', false, 1719378591, NULL, 'usd', 'repeating', false, '{}', NULL, NULL, 100, 77, NULL, 7, 100, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('4paTPVa6TGu1VuEpbWa1UF', 'coupon', 'archive archive sync', false, 1718768383, NULL, 'usd', 'repeating', false, '{"plan": "support annual bundle", "order_id": "4e4d68ee935389ea"}', NULL, 29045, NULL, 601, NULL, NULL, NULL, '{"products": null}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('4roM6OfgioCJNHHap827wu', 'coupon', 'quarterly ledger', true, 1718045888, NULL, 'usd', 'once', false, '{}', 1719794907, NULL, 100, 485, NULL, NULL, 100, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00');
INSERT INTO stripe.coupons VALUES
	('52UDMZ91B5ZLrC8yjWnBvK', 'coupon', 'harbour license onboarding', true, 1716272731, NULL, 'usd', 'once', false, '{"plan": "copper meadow", "user": "93909", "order_id": "6738c08c9b95030e"}', NULL, NULL, 25, 323, NULL, 6, 25, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('5Tq7p1uY3DDCPtJSww6uT5', 'coupon', 'report business business', true, 1718161200, NULL, 'usd', 'repeating', false, '{"order_id": "bbc87f300c0f6d80"}', 1718528774, NULL, 12.5, 610, NULL, NULL, 12.5, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('5WkfaxHRz8LKfYEAfJpxXK', 'coupon', 'copper storage monthly', true, 1714824716, NULL, 'usd', 'repeating', false, '{"note": "line one\nline \"two\", été 💶", "plan": "report seat", "user": "88235", "order_id": "f5e4163354bd1fa9"}', NULL, NULL, 100, 647, NULL, 6, 100, '{"products": "products_c435d5a461cb9fbd"}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('5iHkMzfG0A88uUJtcRmi0m', 'coupon', 'token bundle report', false, 1716341162, NULL, 'usd', 'forever', false, '{}', 1720871459, NULL, 100, 135, 975, 10, 100, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('7l267nMfeAv9OCfIpmcH0I', 'coupon', 'onboarding meadow monthly', true, 1715711672, NULL, 'usd', 'repeating', false, '{"order_id": "52af30388a282d7e"}', NULL, NULL, 100, 319, NULL, 7, 100, '{"products": "products_25a7ccc0347dd77f"}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('D0VasvnxCSJDlpRpudyGUE', 'coupon', 'studio premium onboarding', true, 1716203922, NULL, 'usd', 'once', false, '{}', 1720322623, 30320, NULL, 99, NULL, 9, NULL, NULL, NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('83IJe6LiWxw38X4afIYvpt', 'coupon', 'renewal widget report', false, 1714516965, NULL, 'usd', 'forever', false, '{"note": "line one\nline \"two\", été 💶", "plan": "team ledger meadow", "user": "466050", "order_id": "e0a0c5a1eaba79b8"}', NULL, NULL, 100, 831, 555, 10, 100, '{"products": null}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('8UHNOPyrP7p7dmVZtIJsO2', 'coupon', 'bundle support', true, 1717929064, NULL, 'usd', 'forever', false, '{"note": "line one\nline \"two\", été 💶", "plan": "team export meadow", "user": "253613", "order_id": "4204c1ee2279e7a7"}', NULL, 32161, NULL, 250, 301, 2, NULL, '{"products": "products_cab390940a608be7"}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('8XyMeHDSMjp6poKgaxNXIO', 'coupon', 'studio cotton', false, 1718103733, NULL, 'usd', 'once', false, '{}', 1723533437, 9276, NULL, 688, 258, 1, NULL, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('8iM3HjopcvR9el7NS9mPAJ', 'coupon', 'storage harbour training', false, 1719181238, NULL, 'usd', 'repeating', false, '{}', 1726029477, NULL, 12.5, 437, 190, 1, 12.5, '{"products": null}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('8jv6UlJrm5tHvloV7X57px', 'coupon', 'meadow report annual', true, 1714671597, NULL, 'usd', 'repeating', false, '{}', 1719185136, 22093, NULL, 10, NULL, 11, NULL, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('9Rs1MiMZfti84LsoEdI6Kv', 'coupon', 'training upgrade report', false, 1716809593, NULL, 'usd', 'forever', false, '{"order_id": "7d7ce7f4a19297be"}', 1717497089, 17489, NULL, 865, NULL, NULL, NULL, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('9mUlPRjdCGnEuhxb0EwAYY', 'coupon', 'annual silver', false, 1717446644, NULL, 'usd', 'once', false, '{"plan": "studio gateway basic", "user": "469803", "order_id": "db4a15fce1b321d4"}', NULL, NULL, 25, 593, NULL, NULL, 25, '{"products": null}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('A45HEizMcEK6H9ffkJ2bgC', 'coupon', 'studio harbour renewal', false, 1719378591, NULL, 'usd', 'forever', false, '{}', 1721927215, NULL, 100, 367, NULL, NULL, 100, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('AWIf2WkPyJR3oGLtvnV09Z', 'coupon', 'copper export bundle', false, 1719978213, NULL, 'usd', 'once', false, '{}', 1722834856, NULL, 25, 462, 267, NULL, 25, NULL, NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('AWmcSNfda1YFhq9PhKHoGs', 'coupon', 'team support renewal', true, 1715639839, NULL, 'usd', 'repeating', false, '{}', 1718537879, NULL, 12.5, 555, 95, 2, 12.5, '{"products": null}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('AZ6Zz451b5ADespPgVSoCa', 'coupon', 'license training business', false, 1719755151, NULL, 'usd', 'once', false, '{"note": "line one\nline \"two\", été 💶", "plan": "gateway support", "user": "440128", "order_id": "433f83cbf3f74f93"}', NULL, NULL, 100, 682, 363, 7, 100, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('AaXatRG8v2VERZ0CNu7Mqz', 'coupon', 'premium harbour', false, 1719029253, NULL, 'usd', 'once', false, '{"plan": "report business upgrade", "order_id": "5f0783ea6b39d536"}', 1723067771, NULL, 12.5, 313, 194, 10, 12.5, '{"products": "products_6fe7d64c46f3a79d"}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('AboezWy4cUjHve6pXNlHuv', 'coupon', 'gateway license addon', false, 1718498062, NULL, 'usd', 'forever', false, '{"plan": "widget license sync", "order_id": "fd2053319599bec4"}', 1718726477, NULL, 25, 341, 579, 3, 25, '{"products": "products_d5135c11a80449d5"}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('Al0iOLqFVs84qvn9KBagAP', 'coupon', 'cotton starter', true, 1716677646, NULL, 'usd', 'forever', false, '{"note": "line one\nline \"two\", été 💶", "plan": "harbour license", "user": "560648", "order_id": "34a7ab9979f2591c"}', 1717345654, NULL, 100, 783, 270, 9, 100, '{"products": null}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00');
INSERT INTO stripe.coupons VALUES
	('B39tPNDUHhA1xAin1DVkYW', 'coupon', 'basic ledger storage', false, 1716875000, NULL, 'usd', 'repeating', false, '{"plan": "meadow ledger seat", "order_id": "8283ecf597a20828"}', 1721704227, NULL, 12.5, 319, NULL, NULL, 12.5, '{"products": null}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('BDWotzic5gnKlgqfOq1Xz8', 'coupon', 'storage gateway studio', true, 1714360822, NULL, 'usd', 'forever', false, '{"plan": "premium starter", "order_id": "3c908a5d3ec781c8"}', 1716523953, NULL, 25, 762, 15, 10, 25, '{"products": "products_4f836dac3ccfd3c8"}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('BENsVFkWAUPBYqsa16aq3J', 'coupon', 'license studio', false, 1714043998, NULL, 'usd', 'once', false, '{"plan": "widget annual", "user": "707748", "order_id": "498d05bc245b2cf9"}', NULL, NULL, 12.5, 372, 954, NULL, 12.5, '{"products": null}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('BfOJzlsA8m1CySEU4aly6K', 'coupon', 'gateway gateway', false, 1717810727, NULL, 'usd', 'once', false, '{"order_id": "5833572ef697a067"}', 1720071048, NULL, 12.5, 757, NULL, 0, 12.5, '{"products": "products_db301fd7df567356"}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('Bfmb6MReIEvHmHXbS5W0R4', 'coupon', 'starter renewal export', true, 1717690879, NULL, 'usd', 'repeating', false, '{}', 1724927531, NULL, 100, 402, NULL, 5, 100, '{"products": null}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('C2qLeclnpo7IrnEde6iWQo', 'coupon', 'ledger cotton report', false, 1719800519, NULL, 'usd', 'forever', false, '{"plan": "seat silver annual", "order_id": "edc9472d53e54b91"}', 1720019852, 14609, NULL, 572, 642, NULL, NULL, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('C6n05udTOvS5hnimpjZW1N', 'coupon', 'harbour harbour', false, 1718442863, NULL, 'usd', 'once', false, '{"note": "line one\nline \"two\", été 💶", "plan": "bundle silver", "user": "448610", "order_id": "49a410376a8b0510"}', NULL, 18238, NULL, 998, 401, 5, NULL, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('C9DVXmBQjvZ1xYOIQgEF1X', 'coupon', 'team monthly silver', false, 1718607325, NULL, 'usd', 'repeating', false, '{"plan": "token license", "user": "359011", "order_id": "b672716291b9af07"}', NULL, 19821, NULL, 217, 222, NULL, NULL, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('CIiphktDCdBLhoJEzGQZQQ', 'coupon', 'annual upgrade', false, 1714976323, NULL, 'usd', 'once', false, '{"order_id": "67c6341aa17c7cff"}', 1717005378, NULL, 100, 893, 620, 4, 100, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('CZ6PSSA4oG7DOQ2RIJpU22', 'coupon', 'storage addon token', false, 1719378591, NULL, 'usd', 'repeating', false, '{"order_id": "7aab7caaba6780d7"}', 1722752440, NULL, 100, 684, NULL, 3, 100, '{"products": null}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('Cf7n68tP4D2FYfP2eaBjw4', 'coupon', 'renewal meadow', true, 1717068950, NULL, 'usd', 'repeating', false, '{"plan": "cotton export", "user": "614551", "order_id": "70dfa6eda1a0ae2a"}', NULL, NULL, 25, 714, NULL, 4, 25, NULL, NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('Cpb0nURXPDdD1oGdR4WFP1', 'coupon', 'copper harbour', false, 1717987665, NULL, 'usd', 'forever', false, '{}', NULL, NULL, 12.5, 255, 170, 8, 12.5, '{"products": "products_01dea03ff5b6b890"}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('Cq9Dvy9dZNJKeQof2q3FqN', 'coupon', 'token quarterly', false, 1719231143, NULL, 'usd', 'forever', false, '{"plan": "harbour sync business", "order_id": "111b7de824fcfc61"}', 1723073479, 19144, NULL, 105, NULL, 9, NULL, '{"products": null}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('DFoL5drHFdi2rTU1PpOv1E', 'coupon', 'addon onboarding', true, 1714900708, NULL, 'usd', 'repeating', false, '{"note": "line one\nline \"two\", été 💶", "plan": "team harbour onboarding", "user": "79066", "order_id": "d411e5f16ce304f5"}', 1714996904, 25794, NULL, 552, 192, NULL, NULL, NULL, NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('DRDvJbmXUC9K21d22rsFR2', 'coupon', 'upgrade team', false, 1717508270, NULL, 'usd', 'once', false, '{"plan": "sync annual", "user": "595940", "order_id": "b63c14e805cbd698"}', NULL, NULL, 100, 380, 183, 9, 100, '{"products": null}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('DZZ0tEBGvVdAWH1L1Vgi1z', 'coupon', 'bundle support gateway', true, 1715924905, NULL, 'usd', 'repeating', false, '{}', 1721281165, NULL, 25, 445, NULL, 3, 25, '{"products": null}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('E7xtAp6oM7eA21A4g3OfgC', 'coupon', 'cotton report cotton', false, 1714748345, NULL, 'usd', 'repeating', false, '{"order_id": "f0f9dec45df6aa8b"}', 1719888602, NULL, 25, 324, NULL, NULL, 25, '{"products": "products_e0af54473e0ef932"}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('E8vRUe0CYkuHRDgwsEzaaS', 'coupon', 'harbour report archive', false, 1719378591, NULL, 'usd', 'repeating', false, '{}', 1724746609, 38557, NULL, 627, 507, NULL, NULL, '{"products": "products_3feb505da6c26efc"}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('EGkJnnvL4JZ7dDbhumutOf', 'coupon', 'bundle addon license', false, 1716065170, NULL, 'usd', 'once', false, '{"note": "line one\nline \"two\", été 💶", "plan": "starter monthly export", "user": "415581", "order_id": "7ebca2cd3d241ae8"}', 1721310704, NULL, 25, 102, 129, 4, 25, '{"products": null}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('EVdd5L6iJoeIzF4yiLciq3', 'coupon', 'annual ledger annual', false, 1717004678, NULL, 'usd', 'once', false, '{}', 1719807839, 23789, NULL, 373, NULL, 5, NULL, NULL, NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00');
INSERT INTO stripe.coupons VALUES
	('EXnrIfqP2HM7vYt6YAtXQU', 'coupon', 'storage meadow', false, 1718926039, NULL, 'usd', 'repeating', false, '{"note": "line one\nline \"two\", été 💶", "plan": "meadow ledger bundle", "user": "790915", "order_id": "4f42beb573c9ca18"}', 1719595893, 36086, NULL, 780, 893, NULL, NULL, '{"products": "products_9145f9a2ad0e47a5"}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('EoURM3QLfVdBnbUjrI53AN', 'coupon', 'export archive', true, 1715275000, NULL, 'usd', 'forever', false, '{}', 1717241788, NULL, 25, 47, 641, 4, 25, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('EwPNSPfqIx4EYhu6aKltVY', 'coupon', 'monthly basic', false, 1719378591, NULL, 'usd', 'repeating', false, '{}', NULL, 24206, NULL, 871, 517, 11, NULL, NULL, NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('ExjHH1acQYWHvsz6WgL2di', 'coupon', 'harbour renewal', true, 1715995226, NULL, 'usd', 'repeating', false, '{"plan": "annual export", "order_id": "9d84a422b439dd2c"}', 1719661098, 20036, NULL, 913, 864, NULL, NULL, NULL, NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('EzSMlsQcKF9633KpfN3NBz', 'coupon', 'seat export onboarding', true, 1718387287, NULL, 'usd', 'once', false, '{"plan": "report addon", "user": "521633", "order_id": "80efb5e5d9f93668"}', NULL, NULL, 25, 942, NULL, NULL, 25, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('FD5AP2quFRvDDDjEEeOqKh', 'coupon', 'export archive team', true, 1716743809, NULL, 'usd', 'forever', false, '{"note": "line one\nline \"two\", été 💶", "plan": "addon export", "user": "73947", "order_id": "5eb32ae0874167b8"}', NULL, NULL, 25, 853, 333, 2, 25, '{"products": null}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('FMiH5fH3kINH133oe6JHgp', 'coupon', 'addon storage', true, 1714439083, NULL, 'usd', 'repeating', false, '{}', 1717452553, 8898, NULL, 129, 67, 6, NULL, '{"products": null}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('FgabHhhWfls8drNlnDcADM', 'coupon', 'token basic', true, 1719329820, NULL, 'usd', 'forever', false, '{}', 1721924934, NULL, 100, 952, 991, NULL, 100, '{"products": "products_6301366e396b7a11"}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('GBtNCQDpniG3DhsQIdmHQO', 'coupon', 'monthly silver license', true, 1715126417, NULL, 'usd', 'repeating', false, '{"plan": "addon upgrade", "user": "197319", "order_id": "cd003527e2a63cee"}', 1719318161, 17556, NULL, 196, 470, NULL, NULL, '{"products": "products_9fabb11d2e6d2bf4"}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('GlfyzuU5c47L22H9uDHxLr', 'coupon', 'harbour onboarding', true, 1717259499, NULL, 'usd', 'forever', false, '{}', 1723949982, NULL, 12.5, 578, 783, 1, 12.5, NULL, NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('H8GMR6H9Rlb5ljzjcKZGoY', 'coupon', 'addon annual onboarding', true, 1718661389, NULL, 'usd', 'repeating', false, '{"order_id": "dd45070ec67b3b3a"}', NULL, NULL, 12.5, 70, 531, 11, 12.5, '{"products": "products_306aa150beaca687"}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('HLkATTNw7SY5siFOhxtDvK', 'coupon', 'business silver basic', true, 1718218289, NULL, 'usd', 'repeating', false, '{"note": "line one\nline \"two\", été 💶", "plan": "premium license", "user": "846438", "order_id": "678827845dc8d4c1"}', 1725400276, NULL, 25, 57, 364, 1, 25, '{"products": "products_978b2e501db5de4e"}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('HTTr7JTq8i41GiOs9jCZCv', 'coupon', 'license annual quarterly', false, 1717322258, NULL, 'usd', 'repeating', false, '{}', 1721792743, NULL, 25, 185, 765, 0, 25, '{"products": "products_ee5e4d1c2e577e4d"}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('HdfkDlYDdhTHKJtydriJPW', 'coupon', 'monthly copper', true, 1716134735, NULL, 'usd', 'forever', false, '{"order_id": "eb52fbdbc551d49a"}', 1723159824, NULL, 25, 900, 642, 7, 25, '{"products": "products_42f7276b04e1bc5e"}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('Hem3uz3I1Q0ErVYxgs1aOw', 'coupon', 'cotton team', false, 1719890122, NULL, 'usd', 'forever', false, '{}', 1725698892, NULL, 12.5, 101, 336, 2, 12.5, NULL, NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('Hug292q7CXS7PqMcaxPxQz', 'coupon', 'bundle team team', false, 1719378591, NULL, 'usd', 'forever', false, '{"plan": "meadow token", "order_id": "636f442840b0a107"}', 1722714767, NULL, 12.5, 170, 123, NULL, 12.5, '{"products": "products_fa1c2aedbfccf839"}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('HzGVqDrG23cJaX09ryr7Vm', 'coupon', 'storage support team', false, 1718977835, NULL, 'usd', 'once', false, '{"order_id": "a747377ec46cc7ef"}', 1724373089, NULL, 25, 307, NULL, 1, 25, '{"products": "products_db54951d493bbbc2"}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('IxbjSnr9nPHDw7KJMP5wtt', 'coupon', 'silver token monthly', true, 1715348724, NULL, 'usd', 'once', false, '{"note": "line one\nline \"two\", été 💶", "plan": "harbour business", "user": "281087", "order_id": "6e3009c1fb721ecd"}', 1716529778, 42502, NULL, 486, 362, NULL, NULL, '{"products": null}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('JSFyl0zVV3BAk9DaGaOfey', 'coupon', 'gateway storage', false, 1717384640, NULL, 'usd', 'forever', false, '{"order_id": "f89380f14b5e3891"}', 1720246440, 47999, NULL, 596, 424, 0, NULL, '{"products": "products_2e007688405cf228"}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('Jw6IIHBGyUO1IyUJL1IECc', 'coupon', 'widget widget', true, 1716611105, NULL, 'usd', 'repeating', false, '{"plan": "bundle report", "user": "388355", "order_id": "4622a0715f00d4b0"}', NULL, 47679, NULL, 283, 53, 0, NULL, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00');
INSERT INTO stripe.coupons VALUES
	('K1nSXHB6PQAHvWSQKRS3XE', 'coupon', 'meadow studio', false, 1719280671, NULL, 'usd', 'repeating', false, '{"note": "line one\nline \"two\", été 💶", "plan": "gateway bundle", "user": "828412", "order_id": "621b1c4a0f8b14ae"}', 1724646056, NULL, 12.5, 623, 903, 11, 12.5, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('K4VqMXrVox13IEFy6bUPhf', 'coupon', 'team upgrade bundle', false, 1717569517, NULL, 'usd', 'once', false, '{"order_id": "86db1515940bad32"}', 1718429072, 12698, NULL, 187, NULL, NULL, NULL, '{"products": null}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('KT8dFNgD5W2EP33JrYNLVJ', 'coupon', 'renewal widget', true, 1714594470, NULL, 'usd', 'once', false, '{}', 1719332538, NULL, 25, 498, NULL, NULL, 25, '{"products": null}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('Kk4Wk6zjf2779bB2IXiCaY', 'coupon', 'support addon sync', false, 1716544187, NULL, 'usd', 'repeating', false, '{"order_id": "21bb58bfb62e17c5"}', 1722305874, NULL, 12.5, 642, 341, NULL, 12.5, '{"products": null}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('KkqoekBTGtvEyfoSH8Vxa4', 'coupon', 'team quarterly', true, 1716409215, NULL, 'usd', 'once', false, '{"plan": "storage starter", "user": "846587", "order_id": "26038d87fa6ed3f5"}', 1720654822, 17414, NULL, 214, 783, 3, NULL, NULL, NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('KwWOTcfCHlC0hJhPyh4AcB', 'coupon', 'quarterly seat training', false, 1719130954, NULL, 'usd', 'forever', false, '{"plan": "report cotton archive", "order_id": "c71a27e29da7011d"}', 1725834598, NULL, 25, 774, 428, 8, 25, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('LFJJRQyDO7B6xuMYhlgbDV', 'coupon', 'copper studio', false, 1717630387, NULL, 'usd', 'forever', false, '{"note": "line one\nline \"two\", été 💶", "plan": "training business monthly", "user": "81825", "order_id": "1212e9afb1bfe80b"}', 1722091230, NULL, 100, 314, 435, NULL, 100, '{"products": null}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('LVR3opMoT15ByShf2QGp4j', 'coupon', 'sync storage basic', true, 1719080293, NULL, 'usd', 'once', false, '{"plan": "onboarding premium storage", "order_id": "2c3a2be97ea5684b"}', NULL, 22124, NULL, 189, 995, 5, NULL, '{"products": "products_42a32e7089d686df"}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('LxH2iEBlsnoL3lBJkIZeMG', 'coupon', 'harbour storage', true, 1718552882, NULL, 'usd', 'once', false, '{"plan": "support quarterly", "user": "165018", "order_id": "7f305667fcbacb0d"}', 1724898716, NULL, 12.5, 69, NULL, NULL, 12.5, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('gold-136', 'coupon', 'copper basic', true, 1714282183, NULL, 'usd', 'once', false, '{"plan": "widget seat", "user": "877914", "order_id": "1f07f08b8750ed10"}', 1716010688, NULL, 25, 364, 584, 5, 25, '{"products": null}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('gold-146', 'coupon', 'silver report', true, 1715051559, NULL, 'usd', 'once', false, '{"note": "line one\nline \"two\", été 💶", "plan": "upgrade monthly storage", "user": "632803", "order_id": "b4b8a93c845338b7"}', 1715880165, NULL, 100, 921, NULL, NULL, 100, '{"products": null}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('gold-156', 'coupon', 'archive export starter', true, 1715783128, NULL, 'usd', 'repeating', false, '{"note": "line one\nline \"two\", été 💶", "plan": "widget starter premium", "user": "366423", "order_id": "0411e79c14199298"}', NULL, 7515, NULL, 107, 220, NULL, NULL, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('gold-166', 'coupon', 'silver support', true, 1716476890, NULL, 'usd', 'forever', false, '{"plan": "ledger training silver", "order_id": "116463431c6016d4"}', NULL, NULL, 100, 354, 690, 8, 100, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('gold-176', 'coupon', 'upgrade widget storage', false, 1717132844, NULL, 'usd', 'once', false, '{}', 1721230591, NULL, 100, 55, 838, 0, 100, '{"products": null}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('gold-186', 'coupon', 'meadow studio', false, 1717750992, NULL, 'usd', 'repeating', false, '{}', 1723633963, 24446, NULL, 777, 862, 5, NULL, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('gold-196', 'coupon', 'monthly token', false, 1718331332, NULL, 'usd', 'once', false, '{"order_id": "0b71b7068087466c"}', 1724205173, NULL, 12.5, 300, NULL, 6, 12.5, '{"products": null}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('gold-206', 'coupon', 'export harbour widget', true, 1718873865, NULL, 'usd', 'once', false, '{}', 1722620055, NULL, 100, 300, 401, NULL, 100, '{"products": "products_560d7fdac2e120a9"}', '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('gold-216', 'coupon', 'upgrade seat sync', true, 1719378591, NULL, 'usd', 'forever', false, '{}', 1723513630, 47084, NULL, 560, NULL, 6, NULL, NULL, NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00'),
	('gold-226', 'coupon', 'export upgrade token', false, 1719845510, NULL, 'usd', 'forever', false, '{"order_id": "31f6ed2324ff94ad"}', 1726155080, NULL, 25, 249, 807, 8, 25, NULL, '{}', NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.065985+00', '2026-11-26 01:12:41.543618+00');
INSERT INTO stripe.customers VALUES
	('cus_1S0FQCcU1jKeyDY5xKdEMcR2', 'customer', '{"city": "東京", "line1": "202 Nakamura Street", "line2": "Apt 4", "state": "13", "country": "JP", "postal_code": "100-0001"}', 'renewal storage business', NULL, '{"plan": "sync seat", "order_id": "a02bf1fc64e3aec7"}', 'Mei Okafor', '+15555559252', NULL, 0, 1717773437, 'usd', NULL, false, NULL, 'A8EC33D', '{"footer": null, "custom_fields": null, "rendering_options": null, "default_payment_method": null}', false, NULL, '["en"]', 'reverse', false, 'quarterly meadow', NULL, NULL, 'studio bundle training', '{}', NULL, NULL, NULL, NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.11876+00', '2026-11-26 01:12:41.255053+00'),
	('cus_1S0wrOxH42ZmIDXv4pxAPUxF', 'customer', '{"city": "Paris", "line1": "996 Nguyen Street", "line2": null, "state": "75", "country": "FR", "postal_code": "75001"}', NULL, NULL, '{}', 'Olu Jansen', '+15555558309', NULL, 0, 1715898437, 'usd', NULL, false, NULL, '343FF03', '{"footer": null, "custom_fields": null, "rendering_options": null, "default_payment_method": null}', false, 971, '[]', 'reverse', false, 'widget renewal onboarding', NULL, NULL, NULL, '{}', NULL, NULL, '{"location": null, "provider": "provider_3694bc3c877630c1", "ip_address": "ip_fbb3eec7cd4111bb", "automatic_tax": null}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.11876+00', '2026-11-26 01:12:41.255053+00'),
	('cus_1S2935mPluwN29P5cCJUTrIm', 'customer', '{"city": "São Paulo", "line1": "1091 Lovelace Street", "line2": "Apt 4", "state": "SP", "country": "BR", "postal_code": "01000-000"}', 'business training monthly', NULL, '{"plan": "meadow silver", "user": "770003", "order_id": "89d4695ba61ead35"}', 'Paula Silva', NULL, NULL, 0, 1701835937, 'usd', NULL, false, NULL, '83EA456', '{"footer": null, "custom_fields": null, "rendering_options": null, "default_payment_method": null}', false, 670, '[]', 'none', false, 'storage ledger export', NULL, NULL, NULL, '{}', NULL, NULL, '{"location": "location_54e4f848805a2453", "provider": null, "ip_address": null, "automatic_tax": null}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.11876+00', '2026-11-26 01:12:41.255053+00'),
	('cus_1S94Y74uVvh7eCggeve8c94W', 'customer', '{"city": "Sydney", "line1": "1332 Okafor Street", "line2": null, "state": "NSW", "country": "AU", "postal_code": "2000"}', NULL, NULL, '{}', 'Ngozi Ångström', NULL, NULL, 0, 1705273437, 'usd', NULL, false, NULL, '36A58EB', '{"footer": null, "custom_fields": null, "rendering_options": null, "default_payment_method": null}', false, NULL, '[]', 'reverse', false, NULL, NULL, NULL, NULL, '{}', NULL, NULL, '{"location": "location_b2882a7c634cd30d", "provider": "provider_31c6ae7a7e661dcb", "ip_address": "ip_cb1bbbf4337e9c6e", "automatic_tax": "automatic_0e63f5ec5566ffa4"}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.11876+00', '2026-11-26 01:12:41.255053+00'),
	('cus_1SBqNOiOD6YKS3JLX6gFH5i2', 'customer', '{"city": "San Francisco", "line1": "1526 Nguyen Street", "line2": "Apt 4", "state": "CA", "country": "US", "postal_code": "94111"}', 'business team', NULL, '{"note": "line one\nline \"two\", été 💶", "plan": "harbour gateway", "user": "982337", "order_id": "5faac65b2aae2bb8"}', 'Sana Rossi', '+15555559749', NULL, 0, 1708398437, 'usd', NULL, false, NULL, '7BE3377', '{"footer": null, "custom_fields": null, "rendering_options": null, "default_payment_method": null}', false, NULL, '["en"]', 'none', false, 'storage bundle', NULL, NULL, NULL, '{}', NULL, NULL, '{"location": null, "provider": "provider_e200b6553a0c8c64", "ip_address": "ip_ad81080ccd44566b", "automatic_tax": "automatic_c0a806b40d31744b"}', NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.11876+00', '2026-11-26 01:12:41.255053+00'),
	('cus_1SDOvbq6qQyNT8BkFL4Fj7Tx', 'customer', '{"city": "東京", "line1": "873 Rosen Street", "line2": null, "state": "13", "country": "JP", "postal_code": "100-0001"}', 'addon sync', NULL, '{}', 'Wim Ivanova', '+15555559494', NULL, 0, 1713710937, 'usd', NULL, false, NULL, '10C6A34', '{"footer": null, "custom_fields": null, "rendering_options": null, "default_payment_method": null}', false, 893, '["de", "en-GB"]', 'none', false, 'premium cotton', NULL, NULL, 'monthly gateway', '{}', NULL, NULL, NULL, NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.11876+00', '2026-11-26 01:12:41.255053+00'),
	('cus_1SJjrpsCTXnsT3424fCFfRmt', 'customer', '{"city": "Berlin", "line1": "1505 Rossi Street", "line2": null, "state": "BE", "country": "DE", "postal_code": "10115"}', 'starter team', NULL, '{"note": "line one\nline \"two\", été 💶", "plan": "storage business", "user": "291450", "order_id": "17dc3b8be89d94cf"}', 'Ines Rosen', '+15555553581', '{"name": "Ines Rosen", "phone": "+15555555136", "address": {"city": "Paris", "line1": "1425 Jansen Street", "line2": null, "state": "75", "country": "FR", "postal_code": "75001"}}', 0, 1719335937, 'usd', NULL, false, NULL, 'F71864A', '{"footer": null, "custom_fields": null, "rendering_options": null, "default_payment_method": null}', false, NULL, '[]', 'reverse', false, 'annual monthly', NULL, NULL, 'silver copper training', '{}', NULL, NULL, NULL, NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.11876+00', '2026-11-26 01:12:41.255053+00'),
	('cus_1SKyPi9tLrInMHBDWKp8RNVI', 'customer', '{"city": "San Francisco", "line1": "185 Rosen Street", "line2": "Apt 4", "state": "CA", "country": "US", "postal_code": "94111"}', 'ledger business training', NULL, '{"note": "line one\nline \"two\", été 💶", "plan": "renewal sync addon", "user": "606466", "order_id": "462fe440dc2d6dd3"}', 'Paula O''Neil', '+15555553191', NULL, 0, 1711210937, 'usd', NULL, false, NULL, 'E8C8125', '{"footer": null, "custom_fields": null, "rendering_options": null, "default_payment_method": null}', false, 998, '[]', 'none', false, 'token upgrade', NULL, NULL, 'meadow archive', NULL, NULL, NULL, NULL, NULL, NULL, 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.11876+00', '2026-11-26 01:12:41.255053+00');
INSERT INTO stripe.invoice_line_items VALUES
	('il_1S6x2RwL1CZPi14lgGBiy8xh', 'line_item', 725, 'usd', 'gateway meadow', '[]', false, '[]', 'in_1S31VtEzaYqrr5anGt5f828f', false, '{"note": "line one\nline \"two\", été 💶", "plan": "upgrade studio", "user": "808863", "order_id": "46b895cd159d9178"}', '{"type": "subscription_item_details", "invoice_item_details": null, "subscription_item_details": {"proration": false, "invoice_item": null, "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl", "proration_details": {"credited_items": null}, "subscription_item": "si_1SEnHYi9XB6wxEHE8ohjKzb0"}}', '{"end": 1712435824, "start": 1709843824}', '[]', NULL, 4, '0.01', 'sub_1SCmYsFSWPmk86se7qiyUexl', 725, '[]', 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.082696+00', '2026-11-26 01:12:41.542484+00'),
	('il_1S7UBWHNoNuLEIhWxW2je3Kz', 'line_item', 575, 'usd', 'token license', '[]', true, '[]', 'in_1SJXLqeYw6u1f9TI9SK3yj51', false, '{"note": "line one\nline \"two\", été 💶", "plan": "upgrade ledger premium", "user": "194780", "order_id": "ec941a4d4e792c3e"}', '{"type": "subscription_item_details", "invoice_item_details": null, "subscription_item_details": {"proration": false, "invoice_item": null, "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl", "proration_details": {"credited_items": null}, "subscription_item": "si_1SEnHYi9XB6wxEHE8ohjKzb0"}}', '{"end": 1706185824, "start": 1703593824}', '[]', NULL, 3, '0.01', 'sub_1SCmYsFSWPmk86se7qiyUexl', 575, '[]', 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.082696+00', '2026-11-26 01:12:41.542484+00'),
	('il_1SDgfFSHGwzy21Jw4fcYvlsB', 'line_item', 4250, 'usd', NULL, '[]', true, '[]', 'in_1SHyG1b9MWhvRFCBXDdWgjSp', false, '{"note": "line one\nline \"two\", été 💶", "plan": "annual renewal premium", "user": "926627", "order_id": "a896be743950da98"}', '{"type": "subscription_item_details", "invoice_item_details": null, "subscription_item_details": {"proration": false, "invoice_item": null, "subscription": "sub_1S8c61TT1pHKuHqLZsKamdML", "proration_details": {"credited_items": null}, "subscription_item": "si_1S28TftUGUxKDEkC7EQDx3yq"}}', '{"end": 1712435750, "start": 1709843750}', '[]', NULL, 1, '100', 'sub_1S8c61TT1pHKuHqLZsKamdML', 4250, '[]', 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.082696+00', '2026-11-26 01:12:41.542484+00'),
	('il_1SFYdtQI1JE1Z3uYcedosf7u', 'line_item', 7125, 'usd', NULL, '[]', true, '[]', 'in_1S31VtEzaYqrr5anGt5f828f', false, '{"plan": "silver bundle export", "user": "129477", "order_id": "285f2cb9f4134a74"}', '{"type": "subscription_item_details", "invoice_item_details": null, "subscription_item_details": {"proration": false, "invoice_item": null, "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl", "proration_details": {"credited_items": null}, "subscription_item": "si_1SEnHYi9XB6wxEHE8ohjKzb0"}}', '{"end": 1712435750, "start": 1709843750}', '[]', NULL, 2, '2000', 'sub_1SCmYsFSWPmk86se7qiyUexl', 7125, '[]', 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.082696+00', '2026-11-26 01:12:41.542484+00'),
	('il_1SHULpARcW8duEdjG1oHiTh0', 'line_item', 975, 'usd', 'renewal storage silver', '[]', false, '[]', 'in_1S46ZcCa18PVv2Kgpv71hxgi', false, '{"note": "line one\nline \"two\", été 💶", "plan": "onboarding premium annual", "user": "601188", "order_id": "35a955ad12a80232"}', '{"type": "subscription_item_details", "invoice_item_details": null, "subscription_item_details": {"proration": false, "invoice_item": null, "subscription": "sub_1S6JLeukHudWxBctSIyBmxug", "proration_details": {"credited_items": null}, "subscription_item": "si_1SAP41MQCTmQh33CcMCgGCJ7"}}', '{"end": 1712435750, "start": 1709843750}', '[]', NULL, 2, NULL, 'sub_1S6JLeukHudWxBctSIyBmxug', 975, '[]', 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.082696+00', '2026-11-26 01:12:41.542484+00'),
	('il_1SIgX0JnLjVutJiAeZzWWEoC', 'line_item', 3100, 'usd', 'starter premium', '[]', false, '[]', 'in_1SJXLqeYw6u1f9TI9SK3yj51', false, '{"plan": "token upgrade", "order_id": "b1f51673bf14ac96"}', '{"type": "subscription_item_details", "invoice_item_details": null, "subscription_item_details": {"proration": false, "invoice_item": null, "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl", "proration_details": {"credited_items": null}, "subscription_item": "si_1SEnHYi9XB6wxEHE8ohjKzb0"}}', '{"end": 1706185750, "start": 1703593750}', '[]', NULL, 3, '100', 'sub_1SCmYsFSWPmk86se7qiyUexl', 3100, '[]', 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.082696+00', '2026-11-26 01:12:41.542484+00'),
	('il_1SKcSrC4OHvwpI7CGCRV9wGN', 'line_item', 1125, 'usd', NULL, '[]', false, '[]', 'in_1SJXLqeYw6u1f9TI9SK3yj51', false, '{"plan": "report training meadow", "order_id": "4d6793f33a86338c"}', '{"type": "subscription_item_details", "invoice_item_details": null, "subscription_item_details": {"proration": false, "invoice_item": null, "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl", "proration_details": {"credited_items": null}, "subscription_item": "si_1SEnHYi9XB6wxEHE8ohjKzb0"}}', '{"end": 1706185787, "start": 1703593787}', '[]', NULL, 5, '2000', 'sub_1SCmYsFSWPmk86se7qiyUexl', 1125, '[]', 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.082696+00', '2026-11-26 01:12:41.542484+00'),
	('il_1SL1mKJ1Pz5Xj6PPwZc6oLyZ', 'line_item', 5750, 'usd', 'renewal license', '[]', true, '[]', 'in_1S31VtEzaYqrr5anGt5f828f', false, '{"note": "line one\nline \"two\", été 💶", "plan": "token storage report", "user": "684213", "order_id": "7042a26da398705c"}', '{"type": "subscription_item_details", "invoice_item_details": null, "subscription_item_details": {"proration": false, "invoice_item": null, "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl", "proration_details": {"credited_items": null}, "subscription_item": "si_1SEnHYi9XB6wxEHE8ohjKzb0"}}', '{"end": 1712435787, "start": 1709843787}', '[]', NULL, 3, '12.345678', 'sub_1SCmYsFSWPmk86se7qiyUexl', 5750, '[]', 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.082696+00', '2026-11-26 01:12:41.542484+00');
INSERT INTO stripe.invoices VALUES
	('in_1S31VtEzaYqrr5anGt5f828f', 'invoice', false, 'charge_automatically', 'usd', 'cotton token bundle', 'https://invoice.stripe.test/i/256ceefd54f025c6', '{"url": "/v1/invoices/in_1S31VtEzaYqrr5anGt5f828f/lines", "data": [{"id": "il_1S6x2RwL1CZPi14lgGBiy8xh", "taxes": [], "amount": 725, "object": "line_item", "parent": {"type": "subscription_item_details", "invoice_item_details": null, "subscription_item_details": {"proration": false, "invoice_item": null, "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl", "proration_details": {"credited_items": null}, "subscription_item": "si_1SEnHYi9XB6wxEHE8ohjKzb0"}}, "period": {"end": 1712435824, "start": 1709843824}, "invoice": "in_1S31VtEzaYqrr5anGt5f828f", "pricing": null, "currency": "usd", "livemode": false, "metadata": {"note": "line one\nline \"two\", été 💶", "plan": "upgrade studio", "user": "808863", "order_id": "46b895cd159d9178"}, "quantity": 4, "subtotal": 725, "discounts": [], "description": "gateway meadow", "discountable": false, "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl", "discount_amounts": [], "quantity_decimal": "0.01", "pretax_credit_amounts": []}, {"id": "il_1SL1mKJ1Pz5Xj6PPwZc6oLyZ", "taxes": [], "amount": 5750, "object": "line_item", "parent": {"type": "subscription_item_details", "invoice_item_details": null, "subscription_item_details": {"proration": false, "invoice_item": null, "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl", "proration_details": {"credited_items": null}, "subscription_item": "si_1SEnHYi9XB6wxEHE8ohjKzb0"}}, "period": {"end": 1712435787, "start": 1709843787}, "invoice": "in_1S31VtEzaYqrr5anGt5f828f", "pricing": null, "currency": "usd", "livemode": false, "metadata": {"note": "line one\nline \"two\", été 💶", "plan": "token storage report", "user": "684213", "order_id": "7042a26da398705c"}, "quantity": 3, "subtotal": 5750, "discounts": [], "description": "renewal license", "discountable": true, "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl", "discount_amounts": [], "quantity_decimal": "12.345678", "pretax_credit_amounts": []}, {"id": "il_1SFYdtQI1JE1Z3uYcedosf7u", "taxes": [], "amount": 7125, "object": "line_item", "parent": {"type": "subscription_item_details", "invoice_item_details": null, "subscription_item_details": {"proration": false, "invoice_item": null, "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl", "proration_details": {"credited_items": null}, "subscription_item": "si_1SEnHYi9XB6wxEHE8ohjKzb0"}}, "period": {"end": 1712435750, "start": 1709843750}, "invoice": "in_1S31VtEzaYqrr5anGt5f828f", "pricing": null, "currency": "usd", "livemode": false, "metadata": {"plan": "silver bundle export", "user": "129477", "order_id": "285f2cb9f4134a74"}, "quantity": 2, "subtotal": 7125, "discounts": [], "description": null, "discountable": true, "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl", "discount_amounts": [], "quantity_decimal": "2000", "pretax_credit_amounts": []}], "object": "list", "has_more": false}', '{"order_id": "658a148d00979da8"}', 1709843750, 1707251750, 'paid', 13600, 'US', NULL, NULL, 13600, 13600, 0, NULL, 1, true, 'subscription_cycle', 1709843750, '[]', '{"city": "San Francisco", "line1": "1482 Novak Street", "line2": null, "state": "CA", "country": "US", "postal_code": "94111"}', 'jenny.0@mail.example.net', 'Paula Hopper', NULL, NULL, 'none', '[]', '[]', NULL, '[]', 1715044589, 112, 'footer_2c0dff0660f2b5c5', 'https://invoice.stripe.test/i/256ceefd54f025c6', NULL, false, NULL, 'SIM-1', true, '{"default_mandate": null, "payment_method_types": null, "payment_method_options": {"card": {"network": null, "request_three_d_secure": "automatic"}, "konbini": null, "acss_debit": null, "bancontact": null, "sepa_debit": null, "us_bank_account": null, "customer_balance": null}, "save_default_payment_method": "off"}', 0, 0, 'receipt_fac657eee7d28d2a', 0, 'statement_3f2c37ef370020d8', '{"paid_at": 1709847350, "voided_at": null, "finalized_at": 1709847350, "marked_uncollectible_at": null}', 13600, 0, '[]', '[]', NULL, NULL, 'cus_1S2935mPluwN29P5cCJUTrIm', 'sub_1SCmYsFSWPmk86se7qiyUexl', NULL, NULL, NULL, NULL, NULL, 0, 70699, 0, NULL, '{"status": null, "enabled": false, "provider": null, "liability": null, "disabled_reason": null}', 1713456726, NULL, NULL, NULL, 1712634948, NULL, '{"type": "self"}', NULL, '{"type": "subscription_details", "quote_details": null, "subscription_details": {"metadata": {}, "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl"}}', NULL, '{"pdf": {"page_size": "letter"}, "template": null, "template_version": null, "amount_tax_display": null}', NULL, NULL, 13600, NULL, NULL, 13600, '[]', '[]', 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.082696+00', '2026-11-26 01:12:41.542484+00'),
	('in_1S46ZcCa18PVv2Kgpv71hxgi', 'invoice', NULL, 'charge_automatically', 'usd', NULL, 'https://invoice.stripe.test/i/a5833aa3ab0f717e', '{"url": "/v1/invoices/in_1S46ZcCa18PVv2Kgpv71hxgi/lines", "data": [{"id": "il_1SHULpARcW8duEdjG1oHiTh0", "taxes": [], "amount": 975, "object": "line_item", "parent": {"type": "subscription_item_details", "invoice_item_details": null, "subscription_item_details": {"proration": false, "invoice_item": null, "subscription": "sub_1S6JLeukHudWxBctSIyBmxug", "proration_details": {"credited_items": null}, "subscription_item": "si_1SAP41MQCTmQh33CcMCgGCJ7"}}, "period": {"end": 1712435750, "start": 1709843750}, "invoice": "in_1S46ZcCa18PVv2Kgpv71hxgi", "pricing": null, "currency": "usd", "livemode": false, "metadata": {"note": "line one\nline \"two\", été 💶", "plan": "onboarding premium annual", "user": "601188", "order_id": "35a955ad12a80232"}, "quantity": 2, "subtotal": 975, "discounts": [], "description": "renewal storage silver", "discountable": false, "subscription": "sub_1S6JLeukHudWxBctSIyBmxug", "discount_amounts": [], "quantity_decimal": null, "pretax_credit_amounts": []}], "object": "list", "has_more": false}', '{"plan": "storage onboarding training", "user": "793175", "order_id": "00513e43e8f7bcf0"}', 1709843750, 1707251750, 'paid', 975, 'US', NULL, NULL, 975, 975, 0, NULL, 1, true, 'subscription_cycle', 1709843750, '[]', '{"city": "São Paulo", "line1": "238 Smith Street", "line2": null, "state": "SP", "country": "BR", "postal_code": "01000-000"}', 'grace.5@mail.example.net', 'Ada Novak', NULL, '{"name": "Ada Novak", "phone": null, "address": {"city": "Berlin", "line1": "1679 Jansen Street", "line2": "Apt 4", "state": "BE", "country": "DE", "postal_code": "10115"}}', 'exempt', '[]', '[]', NULL, '[]', 1716137793, 72, 'footer_1652c15d855c96c1', 'https://invoice.stripe.test/i/a5833aa3ab0f717e', NULL, false, 1715962521, 'SIM-3', true, '{"default_mandate": null, "payment_method_types": null, "payment_method_options": {"card": {"network": null, "request_three_d_secure": "automatic"}, "konbini": null, "acss_debit": null, "bancontact": null, "sepa_debit": null, "us_bank_account": null, "customer_balance": null}, "save_default_payment_method": "off"}', 0, 0, 'receipt_ec8c443d396d48f4', 0, NULL, '{"paid_at": 1709847350, "voided_at": null, "finalized_at": 1709847350, "marked_uncollectible_at": null}', 975, 0, '[]', '[]', NULL, 1715472726, 'cus_1S0wrOxH42ZmIDXv4pxAPUxF', 'sub_1S6JLeukHudWxBctSIyBmxug', NULL, NULL, NULL, NULL, NULL, 0, 72841, 0, NULL, '{"status": null, "enabled": false, "provider": null, "liability": null, "disabled_reason": null}', 1714258862, NULL, NULL, NULL, 1714640008, NULL, '{"type": "self"}', NULL, '{"type": "subscription_details", "quote_details": null, "subscription_details": {"metadata": {}, "subscription": "sub_1S6JLeukHudWxBctSIyBmxug"}}', NULL, '{"pdf": {"page_size": "letter"}, "template": null, "template_version": null, "amount_tax_display": null}', NULL, NULL, 975, NULL, NULL, 975, '[]', '[]', 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.082696+00', '2026-11-26 01:12:41.542484+00'),
	('in_1SHyG1b9MWhvRFCBXDdWgjSp', 'invoice', NULL, 'charge_automatically', 'usd', 'addon archive', 'https://invoice.stripe.test/i/e5e146422fef9d77', '{"url": "/v1/invoices/in_1SHyG1b9MWhvRFCBXDdWgjSp/lines", "data": [{"id": "il_1SDgfFSHGwzy21Jw4fcYvlsB", "taxes": [], "amount": 4250, "object": "line_item", "parent": {"type": "subscription_item_details", "invoice_item_details": null, "subscription_item_details": {"proration": false, "invoice_item": null, "subscription": "sub_1S8c61TT1pHKuHqLZsKamdML", "proration_details": {"credited_items": null}, "subscription_item": "si_1S28TftUGUxKDEkC7EQDx3yq"}}, "period": {"end": 1712435750, "start": 1709843750}, "invoice": "in_1SHyG1b9MWhvRFCBXDdWgjSp", "pricing": null, "currency": "usd", "livemode": false, "metadata": {"note": "line one\nline \"two\", été 💶", "plan": "annual renewal premium", "user": "926627", "order_id": "a896be743950da98"}, "quantity": 1, "subtotal": 4250, "discounts": [], "description": null, "discountable": true, "subscription": "sub_1S8c61TT1pHKuHqLZsKamdML", "discount_amounts": [], "quantity_decimal": "100", "pretax_credit_amounts": []}], "object": "list", "has_more": false}', '{}', 1709843750, 1707251750, 'draft', 4250, 'US', NULL, NULL, 4250, 0, 4250, NULL, 0, false, 'subscription_cycle', 1709843750, '[]', '{"city": "San Francisco", "line1": "1435 García Street", "line2": null, "state": "CA", "country": "US", "postal_code": "94111"}', 'billing.2@mail.example.net', 'Noor O''Neil', NULL, NULL, 'none', '[]', '[]', NULL, '[]', NULL, 51, NULL, 'https://invoice.stripe.test/i/e5e146422fef9d77', NULL, false, NULL, NULL, false, '{"default_mandate": null, "payment_method_types": null, "payment_method_options": {"card": {"network": null, "request_three_d_secure": "automatic"}, "konbini": null, "acss_debit": null, "bancontact": null, "sepa_debit": null, "us_bank_account": null, "customer_balance": null}, "save_default_payment_method": "off"}', 0, 0, NULL, 0, 'statement_38c48f4099b7888b', '{"paid_at": null, "voided_at": null, "finalized_at": null, "marked_uncollectible_at": null}', 4250, 807, '[]', '[{"amount": 297, "tax_rate": null, "inclusive": true, "taxable_amount": 4250, "taxability_reason": "standard_rated"}, {"amount": 510, "tax_rate": null, "inclusive": true, "taxable_amount": 4250, "taxability_reason": "standard_rated"}]', NULL, 1717173194, 'cus_1SBqNOiOD6YKS3JLX6gFH5i2', 'sub_1S8c61TT1pHKuHqLZsKamdML', NULL, NULL, NULL, NULL, NULL, 0, 47795, 0, NULL, '{"status": null, "enabled": false, "provider": null, "liability": null, "disabled_reason": null}', 1715967189, NULL, NULL, NULL, 1716989305, NULL, '{"type": "self"}', NULL, '{"type": "subscription_details", "quote_details": null, "subscription_details": {"metadata": {}, "subscription": "sub_1S8c61TT1pHKuHqLZsKamdML"}}', NULL, '{"pdf": {"page_size": "letter"}, "template": null, "template_version": null, "amount_tax_display": null}', NULL, NULL, 4250, NULL, NULL, 4250, '[]', '[{"type": "tax_rate_details", "amount": 297, "tax_behavior": "inclusive", "taxable_amount": 4250, "tax_rate_details": {"tax_rate": null}, "taxability_reason": "standard_rated"}, {"type": "tax_rate_details", "amount": 510, "tax_behavior": "inclusive", "taxable_amount": 4250, "tax_rate_details": {"tax_rate": null}, "taxability_reason": "standard_rated"}]', 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.082696+00', '2026-11-26 01:12:41.542484+00'),
	('in_1SJXLqeYw6u1f9TI9SK3yj51', 'invoice', NULL, 'send_invoice', 'usd', NULL, 'https://invoice.stripe.test/i/9ad28ab43fe44edf', '{"url": "/v1/invoices/in_1SJXLqeYw6u1f9TI9SK3yj51/lines", "data": [{"id": "il_1S7UBWHNoNuLEIhWxW2je3Kz", "taxes": [], "amount": 575, "object": "line_item", "parent": {"type": "subscription_item_details", "invoice_item_details": null, "subscription_item_details": {"proration": false, "invoice_item": null, "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl", "proration_details": {"credited_items": null}, "subscription_item": "si_1SEnHYi9XB6wxEHE8ohjKzb0"}}, "period": {"end": 1706185824, "start": 1703593824}, "invoice": "in_1SJXLqeYw6u1f9TI9SK3yj51", "pricing": null, "currency": "usd", "livemode": false, "metadata": {"note": "line one\nline \"two\", été 💶", "plan": "upgrade ledger premium", "user": "194780", "order_id": "ec941a4d4e792c3e"}, "quantity": 3, "subtotal": 575, "discounts": [], "description": "token license", "discountable": true, "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl", "discount_amounts": [], "quantity_decimal": "0.01", "pretax_credit_amounts": []}, {"id": "il_1SKcSrC4OHvwpI7CGCRV9wGN", "taxes": [], "amount": 1125, "object": "line_item", "parent": {"type": "subscription_item_details", "invoice_item_details": null, "subscription_item_details": {"proration": false, "invoice_item": null, "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl", "proration_details": {"credited_items": null}, "subscription_item": "si_1SEnHYi9XB6wxEHE8ohjKzb0"}}, "period": {"end": 1706185787, "start": 1703593787}, "invoice": "in_1SJXLqeYw6u1f9TI9SK3yj51", "pricing": null, "currency": "usd", "livemode": false, "metadata": {"plan": "report training meadow", "order_id": "4d6793f33a86338c"}, "quantity": 5, "subtotal": 1125, "discounts": [], "description": null, "discountable": false, "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl", "discount_amounts": [], "quantity_decimal": "2000", "pretax_credit_amounts": []}, {"id": "il_1SIgX0JnLjVutJiAeZzWWEoC", "taxes": [], "amount": 3100, "object": "line_item", "parent": {"type": "subscription_item_details", "invoice_item_details": null, "subscription_item_details": {"proration": false, "invoice_item": null, "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl", "proration_details": {"credited_items": null}, "subscription_item": "si_1SEnHYi9XB6wxEHE8ohjKzb0"}}, "period": {"end": 1706185750, "start": 1703593750}, "invoice": "in_1SJXLqeYw6u1f9TI9SK3yj51", "pricing": null, "currency": "usd", "livemode": false, "metadata": {"plan": "token upgrade", "order_id": "b1f51673bf14ac96"}, "quantity": 3, "subtotal": 3100, "discounts": [], "description": "starter premium", "discountable": false, "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl", "discount_amounts": [], "quantity_decimal": "100", "pretax_credit_amounts": []}], "object": "list", "has_more": false}', '{"order_id": "2d502b5538926565"}', 1703593750, 1701001750, 'paid', 4800, 'US', NULL, NULL, 4800, 4800, 0, NULL, 1, true, 'subscription_create', 1703593750, '[]', '{"city": "Sydney", "line1": "474 Dubois Street", "line2": null, "state": "NSW", "country": "AU", "postal_code": "2000"}', 'jenny.0@mail.example.net', 'Ada Hopper', NULL, NULL, NULL, '[]', '[]', NULL, '[]', 1704427121, NULL, NULL, 'https://invoice.stripe.test/i/9ad28ab43fe44edf', NULL, false, 1709396470, 'SIM-0', true, '{"default_mandate": null, "payment_method_types": null, "payment_method_options": {"card": {"network": null, "request_three_d_secure": "automatic"}, "konbini": null, "acss_debit": null, "bancontact": null, "sepa_debit": null, "us_bank_account": null, "customer_balance": null}, "save_default_payment_method": "off"}', 0, 0, NULL, 0, 'statement_896ab69235b94b37', '{"paid_at": 1703597350, "voided_at": null, "finalized_at": 1703597350, "marked_uncollectible_at": null}', 4800, 0, '[]', '[]', NULL, 1710911413, 'cus_1S2935mPluwN29P5cCJUTrIm', 'sub_1SCmYsFSWPmk86se7qiyUexl', NULL, NULL, NULL, NULL, NULL, 0, 26838, 0, NULL, '{"status": null, "enabled": false, "provider": null, "liability": null, "disabled_reason": null}', NULL, NULL, NULL, NULL, NULL, NULL, '{"type": "self"}', NULL, '{"type": "subscription_details", "quote_details": null, "subscription_details": {"metadata": {}, "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl"}}', NULL, '{"pdf": {"page_size": "letter"}, "template": null, "template_version": null, "amount_tax_display": null}', NULL, NULL, 4800, NULL, NULL, 4800, '[]', '[]', 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.082696+00', '2026-11-26 01:12:41.542484+00');
INSERT INTO stripe.products VALUES
	('prod_1SAYE5liCpFU1DHqm6bJanHd', 'product', true, 'archive archive', '{}', 'onboarding monthly', 1704722222, '["https://files.example.com/shirt.png"]', false, '{"width": null, "height": "height_4d12542ab28b74dd", "length": "length_8690b953f0aff064", "weight": "weight_e3ae606121cf9f24"}', NULL, NULL, 'unit_4e1cccedc0bca771', 1704722222, 'https://files.example.com/fedd42580bef77d0', '[{"name": "Unlimited seats"}, {"name": "Sync"}]', NULL, NULL, NULL, 'service', 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.125157+00', '2026-11-26 01:12:41.238231+00'),
	('prod_1SHgJ597O70SW1P4VeaM9LdB', 'product', true, 'export team token', '{"order_id": "f408cf9ed74e004d"}', 'widget license basic', 1712500000, '["https://files.example.com/shirt.png"]', false, NULL, NULL, NULL, NULL, 1712500000, 'https://files.example.com/a31135b6a8046917', '[{"name": "Unlimited seats"}, {"name": "Sync"}]', NULL, NULL, NULL, 'service', 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.125157+00', '2026-11-26 01:12:41.238231+00');
INSERT INTO stripe.subscription_items VALUES
	('si_1S28TftUGUxKDEkC7EQDx3yq', 'subscription_item', '{"usage_gte": null}', 1712500000, false, '{}', 5, 'price_1S9eb8UNXu3mf8vPd1uD2Iea', 'sub_1S8c61TT1pHKuHqLZsKamdML', '[]', 1715092000, 1712500000, 1717512436, '[]', '{"id": "price_1S9eb8UNXu3mf8vPd1uD2Iea", "meter": null, "tiers": [{"up_to": null, "flat_amount": null, "unit_amount": 2657, "flat_amount_decimal": null, "unit_amount_decimal": null}], "active": true, "amount": 10100, "object": "plan", "created": 1712500000, "product": "prod_1SAYE5liCpFU1DHqm6bJanHd", "currency": "usd", "interval": "year", "livemode": false, "metadata": {"plan": "copper quarterly report", "order_id": "73b11814f0a85221"}, "nickname": "report copper monthly", "tiers_mode": null, "usage_type": "licensed", "amount_decimal": "10100", "billing_scheme": "per_unit", "interval_count": 1, "transform_usage": null, "trial_period_days": 3}', 'acct_1S51VsBLEbiGESim', '{"price": {"id": "price_1S9eb8UNXu3mf8vPd1uD2Iea", "type": "recurring", "active": true, "object": "price", "created": 1712500000, "product": "prod_1SAYE5liCpFU1DHqm6bJanHd", "currency": "usd", "livemode": false, "metadata": {}, "nickname": null, "recurring": {"meter": null, "interval": "year", "usage_type": "licensed", "interval_count": 1, "trial_period_days": null}, "lookup_key": null, "tiers_mode": null, "unit_amount": 10100, "tax_behavior": null, "billing_scheme": "per_unit", "currency_options": null, "custom_unit_amount": null, "transform_quantity": null, "unit_amount_decimal": "10100"}}', '2026-11-26 01:12:41.098449+00', '2026-11-26 01:12:41.562412+00'),
	('si_1SAP41MQCTmQh33CcMCgGCJ7', 'subscription_item', NULL, 1718055555, false, '{"plan": "storage starter", "order_id": "47fe681b1121c804"}', 4, 'price_1S9eb8UNXu3mf8vPd1uD2Iea', 'sub_1S6JLeukHudWxBctSIyBmxug', '[]', 1720647555, 1718055555, NULL, '[]', '{"id": "price_1S9eb8UNXu3mf8vPd1uD2Iea", "meter": null, "tiers": [{"up_to": null, "flat_amount": null, "unit_amount": 2657, "flat_amount_decimal": null, "unit_amount_decimal": null}], "active": true, "amount": 10100, "object": "plan", "created": 1712500000, "product": "prod_1SAYE5liCpFU1DHqm6bJanHd", "currency": "usd", "interval": "year", "livemode": false, "metadata": {"plan": "copper quarterly report", "order_id": "73b11814f0a85221"}, "nickname": "report copper monthly", "tiers_mode": null, "usage_type": "licensed", "amount_decimal": "10100", "billing_scheme": "per_unit", "interval_count": 1, "transform_usage": null, "trial_period_days": 3}', 'acct_1S51VsBLEbiGESim', '{"price": {"id": "price_1S9eb8UNXu3mf8vPd1uD2Iea", "type": "recurring", "active": true, "object": "price", "created": 1712500000, "product": "prod_1SAYE5liCpFU1DHqm6bJanHd", "currency": "usd", "livemode": false, "metadata": {}, "nickname": null, "recurring": {"meter": null, "interval": "year", "usage_type": "licensed", "interval_count": 1, "trial_period_days": null}, "lookup_key": null, "tiers_mode": null, "unit_amount": 10100, "tax_behavior": null, "billing_scheme": "per_unit", "currency_options": null, "custom_unit_amount": null, "transform_quantity": null, "unit_amount_decimal": "10100"}}', '2026-11-26 01:12:41.098449+00', '2026-11-26 01:12:41.562412+00'),
	('si_1SEnHYi9XB6wxEHE8ohjKzb0', 'subscription_item', '{"usage_gte": "usage_9c7bbe3e47a1b04f"}', 1704722222, false, '{"order_id": "2f52f99d34f5b2f9"}', 3, 'price_1S9eb8UNXu3mf8vPd1uD2Iea', 'sub_1SCmYsFSWPmk86se7qiyUexl', '[]', 1707314222, 1704722222, NULL, '[]', '{"id": "price_1S9eb8UNXu3mf8vPd1uD2Iea", "meter": null, "tiers": [{"up_to": null, "flat_amount": null, "unit_amount": 2657, "flat_amount_decimal": null, "unit_amount_decimal": null}], "active": true, "amount": 10100, "object": "plan", "created": 1712500000, "product": "prod_1SAYE5liCpFU1DHqm6bJanHd", "currency": "usd", "interval": "year", "livemode": false, "metadata": {"plan": "copper quarterly report", "order_id": "73b11814f0a85221"}, "nickname": "report copper monthly", "tiers_mode": null, "usage_type": "licensed", "amount_decimal": "10100", "billing_scheme": "per_unit", "interval_count": 1, "transform_usage": null, "trial_period_days": 3}', 'acct_1S51VsBLEbiGESim', '{"price": {"id": "price_1S9eb8UNXu3mf8vPd1uD2Iea", "type": "recurring", "active": true, "object": "price", "created": 1712500000, "product": "prod_1SAYE5liCpFU1DHqm6bJanHd", "currency": "usd", "livemode": false, "metadata": {}, "nickname": null, "recurring": {"meter": null, "interval": "year", "usage_type": "licensed", "interval_count": 1, "trial_period_days": null}, "lookup_key": null, "tiers_mode": null, "unit_amount": 10100, "tax_behavior": null, "billing_scheme": "per_unit", "currency_options": null, "custom_unit_amount": null, "transform_quantity": null, "unit_amount_decimal": "10100"}}', '2026-11-26 01:12:41.098449+00', '2026-11-26 01:12:41.562412+00'),
	('si_1SKBwakGUVI2R4uy1K1d83ty', 'subscription_item', '{"usage_gte": null}', 1712500037, false, '{"plan": "addon archive quarterly", "user": "266601", "order_id": "afd1ea50d55a1f60"}', 3, 'price_1S9eb8UNXu3mf8vPd1uD2Iea', 'sub_1S8c61TT1pHKuHqLZsKamdML', '[]', 1715092037, 1712500037, 1713421340, '[]', '{"id": "price_1S9eb8UNXu3mf8vPd1uD2Iea", "meter": null, "tiers": [{"up_to": null, "flat_amount": null, "unit_amount": 2657, "flat_amount_decimal": null, "unit_amount_decimal": null}], "active": true, "amount": 10100, "object": "plan", "created": 1712500000, "product": "prod_1SAYE5liCpFU1DHqm6bJanHd", "currency": "usd", "interval": "year", "livemode": false, "metadata": {"plan": "copper quarterly report", "order_id": "73b11814f0a85221"}, "nickname": "report copper monthly", "tiers_mode": null, "usage_type": "licensed", "amount_decimal": "10100", "billing_scheme": "per_unit", "interval_count": 1, "transform_usage": null, "trial_period_days": 3}', 'acct_1S51VsBLEbiGESim', '{"price": {"id": "price_1S9eb8UNXu3mf8vPd1uD2Iea", "type": "recurring", "active": true, "object": "price", "created": 1712500000, "product": "prod_1SAYE5liCpFU1DHqm6bJanHd", "currency": "usd", "livemode": false, "metadata": {}, "nickname": null, "recurring": {"meter": null, "interval": "year", "usage_type": "licensed", "interval_count": 1, "trial_period_days": null}, "lookup_key": null, "tiers_mode": null, "unit_amount": 10100, "tax_behavior": null, "billing_scheme": "per_unit", "currency_options": null, "custom_unit_amount": null, "transform_quantity": null, "unit_amount_decimal": "10100"}}', '2026-11-26 01:12:41.098449+00', '2026-11-26 01:12:41.562412+00');
INSERT INTO stripe.subscriptions VALUES
	('sub_1S6JLeukHudWxBctSIyBmxug', 'subscription', true, 1720647555, 1718055555, NULL, '{"url": "/v1/subscription_items?subscription=sub_1S6JLeukHudWxBctSIyBmxug", "data": [{"id": "si_1SAP41MQCTmQh33CcMCgGCJ7", "plan": {"id": "price_1S9eb8UNXu3mf8vPd1uD2Iea", "meter": null, "tiers": [{"up_to": null, "flat_amount": null, "unit_amount": 2657, "flat_amount_decimal": null, "unit_amount_decimal": null}], "active": true, "amount": 10100, "object": "plan", "created": 1712500000, "product": "prod_1SAYE5liCpFU1DHqm6bJanHd", "currency": "usd", "interval": "year", "livemode": false, "metadata": {"plan": "copper quarterly report", "order_id": "73b11814f0a85221"}, "nickname": "report copper monthly", "tiers_mode": null, "usage_type": "licensed", "amount_decimal": "10100", "billing_scheme": "per_unit", "interval_count": 1, "transform_usage": null, "trial_period_days": 3}, "price": {"id": "price_1S9eb8UNXu3mf8vPd1uD2Iea", "type": "recurring", "active": true, "object": "price", "created": 1712500000, "product": "prod_1SAYE5liCpFU1DHqm6bJanHd", "currency": "usd", "livemode": false, "metadata": {}, "nickname": null, "recurring": {"meter": null, "interval": "year", "usage_type": "licensed", "interval_count": 1, "trial_period_days": null}, "lookup_key": null, "tiers_mode": null, "unit_amount": 10100, "tax_behavior": null, "billing_scheme": "per_unit", "currency_options": null, "custom_unit_amount": null, "transform_quantity": null, "unit_amount_decimal": "10100"}, "object": "subscription_item", "created": 1718055555, "metadata": {"plan": "storage starter", "order_id": "47fe681b1121c804"}, "quantity": 4, "discounts": [], "tax_rates": [], "subscription": "sub_1S6JLeukHudWxBctSIyBmxug", "billing_thresholds": null, "current_period_end": 1720647555, "current_period_start": 1718055555}], "object": "list", "has_more": false}', '{"order_id": "288ce44496b2e955"}', NULL, NULL, 'active', 19, 1718055555, '{"amount_gte": null, "reset_billing_cycle_anchor": "reset_04acb6a2da387025"}', NULL, NULL, 'charge_automatically', 1718055555, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, 1718055555, NULL, NULL, '1722957299', NULL, 'cus_1S0wrOxH42ZmIDXv4pxAPUxF', 'in_1S46ZcCa18PVv2Kgpv71hxgi', 'price_1S9eb8UNXu3mf8vPd1uD2Iea', NULL, '{"status": null, "enabled": false, "provider": null, "liability": null, "disabled_reason": null}', '{"hour": null, "month": null, "minute": null, "second": null, "day_of_month": "day_fca7038215b16557"}', '{"type": "classic", "flexible": null}', '[{"key": null, "applies_to": null, "bill_until": null}]', '{"reason": null, "comment": null, "feedback": null}', 'usd', NULL, 'renewal export upgrade', '[]', '{"footer": "footer_7ddff59638f2f963", "issuer": null, "description": "description_f4291cd5afbf9e3c", "custom_fields": null, "account_tax_ids": null}', '{"enabled": null}', NULL, '{"default_mandate": null, "payment_method_types": null, "payment_method_options": {"card": {"network": null, "request_three_d_secure": "automatic"}, "konbini": null, "acss_debit": null, "bancontact": null, "sepa_debit": null, "us_bank_account": null, "customer_balance": null}, "save_default_payment_method": "off"}', NULL, NULL, '{"end_behavior": {"missing_payment_method": "create_invoice"}}', 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.098449+00', '2026-11-26 01:12:41.562412+00'),
	('sub_1S8c61TT1pHKuHqLZsKamdML', 'subscription', true, NULL, NULL, NULL, '{"url": "/v1/subscription_items?subscription=sub_1S8c61TT1pHKuHqLZsKamdML", "data": [{"id": "si_1SKBwakGUVI2R4uy1K1d83ty", "plan": {"id": "price_1S9eb8UNXu3mf8vPd1uD2Iea", "meter": null, "tiers": [{"up_to": null, "flat_amount": null, "unit_amount": 2657, "flat_amount_decimal": null, "unit_amount_decimal": null}], "active": true, "amount": 10100, "object": "plan", "created": 1712500000, "product": "prod_1SAYE5liCpFU1DHqm6bJanHd", "currency": "usd", "interval": "year", "livemode": false, "metadata": {"plan": "copper quarterly report", "order_id": "73b11814f0a85221"}, "nickname": "report copper monthly", "tiers_mode": null, "usage_type": "licensed", "amount_decimal": "10100", "billing_scheme": "per_unit", "interval_count": 1, "transform_usage": null, "trial_period_days": 3}, "price": {"id": "price_1S9eb8UNXu3mf8vPd1uD2Iea", "type": "recurring", "active": true, "object": "price", "created": 1712500000, "product": "prod_1SAYE5liCpFU1DHqm6bJanHd", "currency": "usd", "livemode": false, "metadata": {}, "nickname": null, "recurring": {"meter": null, "interval": "year", "usage_type": "licensed", "interval_count": 1, "trial_period_days": null}, "lookup_key": null, "tiers_mode": null, "unit_amount": 10100, "tax_behavior": null, "billing_scheme": "per_unit", "currency_options": null, "custom_unit_amount": null, "transform_quantity": null, "unit_amount_decimal": "10100"}, "object": "subscription_item", "created": 1712500037, "metadata": {"plan": "addon archive quarterly", "user": "266601", "order_id": "afd1ea50d55a1f60"}, "quantity": 3, "discounts": [], "tax_rates": [], "billed_until": 1713421340, "subscription": "sub_1S8c61TT1pHKuHqLZsKamdML", "billing_thresholds": {"usage_gte": null}, "current_period_end": 1715092037, "current_period_start": 1712500037}, {"id": "si_1S28TftUGUxKDEkC7EQDx3yq", "plan": {"id": "price_1S9eb8UNXu3mf8vPd1uD2Iea", "meter": null, "tiers": [{"up_to": null, "flat_amount": null, "unit_amount": 2657, "flat_amount_decimal": null, "unit_amount_decimal": null}], "active": true, "amount": 10100, "object": "plan", "created": 1712500000, "product": "prod_1SAYE5liCpFU1DHqm6bJanHd", "currency": "usd", "interval": "year", "livemode": false, "metadata": {"plan": "copper quarterly report", "order_id": "73b11814f0a85221"}, "nickname": "report copper monthly", "tiers_mode": null, "usage_type": "licensed", "amount_decimal": "10100", "billing_scheme": "per_unit", "interval_count": 1, "transform_usage": null, "trial_period_days": 3}, "price": {"id": "price_1S9eb8UNXu3mf8vPd1uD2Iea", "type": "recurring", "active": true, "object": "price", "created": 1712500000, "product": "prod_1SAYE5liCpFU1DHqm6bJanHd", "currency": "usd", "livemode": false, "metadata": {}, "nickname": null, "recurring": {"meter": null, "interval": "year", "usage_type": "licensed", "interval_count": 1, "trial_period_days": null}, "lookup_key": null, "tiers_mode": null, "unit_amount": 10100, "tax_behavior": null, "billing_scheme": "per_unit", "currency_options": null, "custom_unit_amount": null, "transform_quantity": null, "unit_amount_decimal": "10100"}, "object": "subscription_item", "created": 1712500000, "metadata": {}, "quantity": 5, "discounts": [], "tax_rates": [], "billed_until": 1717512436, "subscription": "sub_1S8c61TT1pHKuHqLZsKamdML", "billing_thresholds": {"usage_gte": null}, "current_period_end": 1715092000, "current_period_start": 1712500000}], "object": "list", "has_more": false}', '{"note": "line one\nline \"two\", été 💶", "plan": "license basic", "user": "397883", "order_id": "59e1b989f5d79c1b"}', NULL, NULL, 'canceled', NULL, 1712500000, '{"amount_gte": 8581, "reset_billing_cycle_anchor": null}', NULL, 1717684000, 'charge_automatically', 1712500000, NULL, NULL, NULL, NULL, 1717684000, false, NULL, NULL, NULL, 1712500000, NULL, NULL, '1716322014', NULL, 'cus_1SBqNOiOD6YKS3JLX6gFH5i2', 'in_1SHyG1b9MWhvRFCBXDdWgjSp', 'price_1S9eb8UNXu3mf8vPd1uD2Iea', NULL, '{"status": null, "enabled": false, "provider": null, "liability": null, "disabled_reason": null}', NULL, '{"type": "classic", "flexible": null}', '[]', '{"reason": null, "comment": null, "feedback": null}', 'usd', NULL, NULL, '[]', '{"footer": "footer_2752bc3c3bc6f1a6", "issuer": "issuer_105536ab82240b1b", "description": null, "custom_fields": "custom_5a85d618c4454a6b", "account_tax_ids": null}', '{"enabled": null}', NULL, '{"default_mandate": null, "payment_method_types": null, "payment_method_options": {"card": {"network": null, "request_three_d_secure": "automatic"}, "konbini": null, "acss_debit": null, "bancontact": null, "sepa_debit": null, "us_bank_account": null, "customer_balance": null}, "save_default_payment_method": "off"}', NULL, NULL, '{"end_behavior": {"missing_payment_method": "create_invoice"}}', 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.098449+00', '2026-11-26 01:12:41.562412+00'),
	('sub_1SCmYsFSWPmk86se7qiyUexl', 'subscription', false, 1707314222, 1704722222, NULL, '{"url": "/v1/subscription_items?subscription=sub_1SCmYsFSWPmk86se7qiyUexl", "data": [{"id": "si_1SEnHYi9XB6wxEHE8ohjKzb0", "plan": {"id": "price_1S9eb8UNXu3mf8vPd1uD2Iea", "meter": null, "tiers": [{"up_to": null, "flat_amount": null, "unit_amount": 2657, "flat_amount_decimal": null, "unit_amount_decimal": null}], "active": true, "amount": 10100, "object": "plan", "created": 1712500000, "product": "prod_1SAYE5liCpFU1DHqm6bJanHd", "currency": "usd", "interval": "year", "livemode": false, "metadata": {"plan": "copper quarterly report", "order_id": "73b11814f0a85221"}, "nickname": "report copper monthly", "tiers_mode": null, "usage_type": "licensed", "amount_decimal": "10100", "billing_scheme": "per_unit", "interval_count": 1, "transform_usage": null, "trial_period_days": 3}, "price": {"id": "price_1S9eb8UNXu3mf8vPd1uD2Iea", "type": "recurring", "active": true, "object": "price", "created": 1712500000, "product": "prod_1SAYE5liCpFU1DHqm6bJanHd", "currency": "usd", "livemode": false, "metadata": {}, "nickname": null, "recurring": {"meter": null, "interval": "year", "usage_type": "licensed", "interval_count": 1, "trial_period_days": null}, "lookup_key": null, "tiers_mode": null, "unit_amount": 10100, "tax_behavior": null, "billing_scheme": "per_unit", "currency_options": null, "custom_unit_amount": null, "transform_quantity": null, "unit_amount_decimal": "10100"}, "object": "subscription_item", "created": 1704722222, "metadata": {"order_id": "2f52f99d34f5b2f9"}, "quantity": 3, "discounts": [], "tax_rates": [], "subscription": "sub_1SCmYsFSWPmk86se7qiyUexl", "billing_thresholds": {"usage_gte": "usage_9c7bbe3e47a1b04f"}, "current_period_end": 1707314222, "current_period_start": 1704722222}], "object": "list", "has_more": false}', '{"plan": "harbour silver sync", "user": "499412", "order_id": "27aca09574e0c8d3"}', NULL, NULL, 'active', 1.25, 1704722222, '{"amount_gte": 9105, "reset_billing_cycle_anchor": null}', NULL, NULL, 'charge_automatically', 1704722222, NULL, NULL, '[]', NULL, NULL, false, NULL, NULL, NULL, 1704722222, NULL, '1708952979', '1708525376', NULL, 'cus_1S2935mPluwN29P5cCJUTrIm', 'in_1S31VtEzaYqrr5anGt5f828f', 'price_1S9eb8UNXu3mf8vPd1uD2Iea', NULL, '{"status": null, "enabled": false, "provider": null, "liability": null, "disabled_reason": null}', NULL, '{"type": "classic", "flexible": null}', '[{"key": null, "applies_to": "applies_3becf54204311eab", "bill_until": "bill_a770b9c9ae875441"}]', '{"reason": null, "comment": null, "feedback": null}', 'usd', NULL, 'export ledger cotton', '[]', '{"footer": "footer_35b71788907619df", "issuer": null, "description": null, "custom_fields": "custom_90a5d6a9f632231f", "account_tax_ids": null}', '{"enabled": null}', NULL, '{"default_mandate": null, "payment_method_types": null, "payment_method_options": {"card": {"network": null, "request_three_d_secure": "automatic"}, "konbini": null, "acss_debit": null, "bancontact": null, "sepa_debit": null, "us_bank_account": null, "customer_balance": null}, "save_default_payment_method": "off"}', '{"presentment_currency": null}', NULL, '{"end_behavior": {"missing_payment_method": "create_invoice"}}', 'acct_1S51VsBLEbiGESim', NULL, '2026-11-26 01:12:41.098449+00', '2026-11-26 01:12:41.562412+00');
SELECT pg_catalog.setval('stripe._runs_id_seq', 2, true);
SELECT pg_catalog.setval('stripe._slices_id_seq', 11, true);
ALTER TABLE ONLY stripe._meta
    ADD CONSTRAINT _meta_pkey PRIMARY KEY (key);
ALTER TABLE ONLY stripe._migrations
    ADD CONSTRAINT _migrations_pkey PRIMARY KEY (catalog_version);
ALTER TABLE ONLY stripe._quarantine
    ADD CONSTRAINT _quarantine_pkey PRIMARY KEY (table_name, account_id, id);
ALTER TABLE ONLY stripe._runs
    ADD CONSTRAINT _runs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY stripe._slices
    ADD CONSTRAINT _slices_pkey PRIMARY KEY (id);
ALTER TABLE ONLY stripe._streams
    ADD CONSTRAINT _streams_pkey PRIMARY KEY (run_id, stream);
ALTER TABLE ONLY stripe._tombstones
    ADD CONSTRAINT _tombstones_pkey PRIMARY KEY (table_name, account_id, id);
ALTER TABLE ONLY stripe.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.active_entitlements
    ADD CONSTRAINT active_entitlements_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.apple_pay_domains
    ADD CONSTRAINT apple_pay_domains_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.application_fees
    ADD CONSTRAINT application_fees_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.balance_transactions
    ADD CONSTRAINT balance_transactions_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.billing_alerts
    ADD CONSTRAINT billing_alerts_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.billing_credit_balance_transactions
    ADD CONSTRAINT billing_credit_balance_transactions_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.billing_credit_grants
    ADD CONSTRAINT billing_credit_grants_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.billing_meters
    ADD CONSTRAINT billing_meters_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.billing_portal_configurations
    ADD CONSTRAINT billing_portal_configurations_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.charges
    ADD CONSTRAINT charges_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.checkout_session_line_items
    ADD CONSTRAINT checkout_session_line_items_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.checkout_sessions
    ADD CONSTRAINT checkout_sessions_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.climate_orders
    ADD CONSTRAINT climate_orders_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.climate_products
    ADD CONSTRAINT climate_products_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.climate_suppliers
    ADD CONSTRAINT climate_suppliers_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.country_specs
    ADD CONSTRAINT country_specs_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.coupons
    ADD CONSTRAINT coupons_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.credit_note_line_items
    ADD CONSTRAINT credit_note_line_items_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.credit_notes
    ADD CONSTRAINT credit_notes_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.disputes
    ADD CONSTRAINT disputes_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.early_fraud_warnings
    ADD CONSTRAINT early_fraud_warnings_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.exchange_rates
    ADD CONSTRAINT exchange_rates_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.features
    ADD CONSTRAINT features_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.file_links
    ADD CONSTRAINT file_links_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.files
    ADD CONSTRAINT files_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.financial_connections_accounts
    ADD CONSTRAINT financial_connections_accounts_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.forwarding_requests
    ADD CONSTRAINT forwarding_requests_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.identity_verification_reports
    ADD CONSTRAINT identity_verification_reports_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.identity_verification_sessions
    ADD CONSTRAINT identity_verification_sessions_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.invoice_line_items
    ADD CONSTRAINT invoice_line_items_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.invoice_payments
    ADD CONSTRAINT invoice_payments_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.invoice_rendering_templates
    ADD CONSTRAINT invoice_rendering_templates_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.invoiceitems
    ADD CONSTRAINT invoiceitems_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.invoices
    ADD CONSTRAINT invoices_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.issuing_authorizations
    ADD CONSTRAINT issuing_authorizations_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.issuing_cardholders
    ADD CONSTRAINT issuing_cardholders_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.issuing_cards
    ADD CONSTRAINT issuing_cards_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.issuing_disputes
    ADD CONSTRAINT issuing_disputes_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.issuing_personalization_designs
    ADD CONSTRAINT issuing_personalization_designs_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.issuing_physical_bundles
    ADD CONSTRAINT issuing_physical_bundles_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.issuing_transactions
    ADD CONSTRAINT issuing_transactions_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.payment_intents
    ADD CONSTRAINT payment_intents_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.payment_links
    ADD CONSTRAINT payment_links_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.payment_method_configurations
    ADD CONSTRAINT payment_method_configurations_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.payment_method_domains
    ADD CONSTRAINT payment_method_domains_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.payment_methods
    ADD CONSTRAINT payment_methods_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.payment_records
    ADD CONSTRAINT payment_records_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.payouts
    ADD CONSTRAINT payouts_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.plans
    ADD CONSTRAINT plans_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.prices
    ADD CONSTRAINT prices_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.products
    ADD CONSTRAINT products_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.promotion_codes
    ADD CONSTRAINT promotion_codes_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.quotes
    ADD CONSTRAINT quotes_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.radar_value_lists
    ADD CONSTRAINT radar_value_lists_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.refunds
    ADD CONSTRAINT refunds_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.reporting_report_runs
    ADD CONSTRAINT reporting_report_runs_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.reporting_report_types
    ADD CONSTRAINT reporting_report_types_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.reviews
    ADD CONSTRAINT reviews_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.scheduled_query_runs
    ADD CONSTRAINT scheduled_query_runs_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.setup_intents
    ADD CONSTRAINT setup_intents_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.shipping_rates
    ADD CONSTRAINT shipping_rates_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.subscription_items
    ADD CONSTRAINT subscription_items_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.subscription_schedules
    ADD CONSTRAINT subscription_schedules_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.subscriptions
    ADD CONSTRAINT subscriptions_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.tax_codes
    ADD CONSTRAINT tax_codes_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.tax_ids
    ADD CONSTRAINT tax_ids_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.tax_rates
    ADD CONSTRAINT tax_rates_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.tax_registrations
    ADD CONSTRAINT tax_registrations_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.terminal_configurations
    ADD CONSTRAINT terminal_configurations_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.terminal_locations
    ADD CONSTRAINT terminal_locations_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.terminal_readers
    ADD CONSTRAINT terminal_readers_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.test_clocks
    ADD CONSTRAINT test_clocks_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.topups
    ADD CONSTRAINT topups_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.transfers
    ADD CONSTRAINT transfers_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.treasury_financial_accounts
    ADD CONSTRAINT treasury_financial_accounts_pkey PRIMARY KEY (id, _account_id);
ALTER TABLE ONLY stripe.webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (id, _account_id);
CREATE INDEX _runs_identity_idx ON stripe._runs USING btree (identity, id DESC);
CREATE INDEX _slices_run_idx ON stripe._slices USING btree (run_id, stream);
CREATE INDEX checkout_session_line_items_checkout_session_idx ON stripe.checkout_session_line_items USING btree (checkout_session);
CREATE INDEX credit_note_line_items_credit_note_idx ON stripe.credit_note_line_items USING btree (credit_note);
CREATE INDEX invoice_line_items_invoice_idx ON stripe.invoice_line_items USING btree (invoice);
CREATE INDEX subscription_items_subscription_idx ON stripe.subscription_items USING btree (subscription);
CREATE OR REPLACE VIEW stripe.sync_status AS
 SELECT r.account_id,
    r.id AS run_id,
    r.status AS run_status,
    r.started_at,
    r.finished_at,
    r.range,
    s.stream,
    s.status,
    s.unfiltered,
    (s.rows + (COALESCE(sum(l.rows), (0)::numeric))::bigint) AS rows,
    (s.requests + (COALESCE(sum(l.requests), (0)::numeric))::bigint) AS requests,
    count(l.id) AS open_slices,
    max(l.lease_until) AS leased_until,
    s.message,
    s.request_id,
    s.updated_at
   FROM ((stripe._runs r
     JOIN stripe._streams s ON ((s.run_id = r.id)))
     LEFT JOIN stripe._slices l ON (((l.run_id = r.id) AND (l.stream = s.stream))))
  GROUP BY r.id, s.run_id, s.stream;
