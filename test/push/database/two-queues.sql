-- The tables as the last version with two queues left them.

create table app_keys (
  id bigint not null auto_increment,
  app_id varchar(32) not null,
  key_id char(8) character set ascii collate ascii_bin not null,
  key_hash char(64) character set ascii collate ascii_bin not null,
  created_at bigint not null,
  retired_at bigint,
  primary key (id),
  unique key app_keys_once (app_id,key_id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create table apps (
  app_id varchar(32) not null,
  scopes text not null,
  per_minute int not null,
  callback_hosts text not null,
  enabled tinyint not null,
  created_at bigint not null,
  primary key (app_id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create table attempts (
  id bigint not null auto_increment,
  delivery_id bigint not null,
  at bigint not null,
  ms int not null,
  errcode varchar(16) not null,
  errmsg varchar(600) not null,
  msgid varchar(128),
  primary key (id),
  key attempts_by_delivery (delivery_id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create table campaign_receivers (
  campaign bigint not null,
  number int not null,
  user varchar(64) character set ascii collate ascii_bin not null,
  variables text,
  primary key (campaign,number),
  unique key campaign_receivers_once (campaign,user)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create table campaign_returned (
  campaign bigint not null,
  number int not null,
  primary key (campaign,number)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create table campaign_slices (
  id bigint not null auto_increment,
  campaign bigint not null,
  run int not null,
  message_id char(36) character set ascii collate ascii_bin not null,
  handed_at bigint not null,
  size int not null,
  settled_at bigint,
  counts text,
  primary key (id),
  unique key campaign_slices_by_message (message_id),
  key campaign_slices_by_run (campaign,run),
  key campaign_slices_by_time (campaign,handed_at),
  key campaign_slices_unsettled (settled_at,campaign)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create table campaigns (
  serial bigint not null auto_increment,
  id char(36) character set ascii collate ascii_bin not null,
  app varchar(32) not null,
  name varchar(100) not null,
  state varchar(9) not null,
  template_key varchar(32) not null,
  variables text not null,
  shared_names text not null,
  schedule varchar(300),
  per_minute int,
  per_day int,
  callback_url varchar(2048),
  idempotency_key varchar(128),
  request_hash char(64) character set ascii collate ascii_bin not null,
  total int not null default 0,
  doubles int not null default 0,
  run int not null default 0,
  position int not null default 0,
  content mediumtext,
  template_version int,
  next_run_at bigint,
  created_at bigint not null,
  touched_at bigint not null,
  started_at bigint,
  finished_at bigint,
  problem varchar(600),
  account varchar(32) not null default 'default',
  primary key (serial),
  unique key campaigns_by_id (id),
  unique key campaigns_once (app,idempotency_key),
  key campaigns_by_state (state,next_run_at)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create table deliveries (
  id bigint not null auto_increment,
  message_id char(36) character set ascii collate ascii_bin not null,
  receiver varchar(100) not null,
  line varchar(150),
  wakes_at bigint,
  shared tinyint not null default 0,
  busy varchar(150),
  state varchar(9) not null default 'queued',
  rare_state varchar(9) generated always as (if(state in ('failed','dead','recalled'),state,null)) stored,
  since bigint not null,
  due_at bigint not null,
  tries int not null default 0,
  parts int not null default 0,
  msgids text,
  errcode varchar(16),
  problem varchar(1000),
  maybe_twice tinyint not null default 0,
  lost_at bigint,
  lease_owner char(36) character set ascii collate ascii_bin,
  lease_until bigint,
  variables text,
  finished_at bigint,
  account varchar(32) not null default 'default',
  primary key (id),
  unique key deliveries_busy (busy),
  key deliveries_by_message (message_id),
  key deliveries_by_line (line,id,since),
  key deliveries_by_wake (wakes_at),
  key deliveries_by_rare_state (rare_state,message_id),
  key deliveries_by_end (finished_at,receiver)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create table media (
  sha256 char(64) character set ascii collate ascii_bin not null,
  picture char(3) character set ascii,
  size int not null,
  created_at bigint not null,
  last_used bigint not null,
  primary key (sha256),
  key media_by_use (last_used)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create table media_chunks (
  sha256 char(64) character set ascii collate ascii_bin not null,
  part int not null,
  bytes mediumblob not null,
  primary key (sha256,part)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create table media_ids (
  sha256 char(64) character set ascii collate ascii_bin not null,
  kind varchar(5) character set ascii not null,
  name varchar(128) not null,
  owner varchar(80) not null,
  media_id varchar(512) character set ascii collate ascii_bin,
  expires_at bigint not null,
  lease_owner char(36) character set ascii collate ascii_bin,
  lease_until bigint not null,
  primary key (sha256,kind,name,owner),
  key media_ids_by_id (media_id),
  key media_ids_by_end (expires_at)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create table messages (
  id char(36) character set ascii collate ascii_bin not null,
  app varchar(32) not null,
  lane varchar(6) not null,
  kind varchar(16) not null,
  content mediumtext not null,
  variables mediumtext,
  template_key varchar(32),
  template_version int,
  opaque varchar(1024),
  idempotency_key varchar(128),
  request_hash char(64) character set ascii collate ascii_bin not null,
  callback_url varchar(2048),
  campaign_id char(36) character set ascii collate ascii_bin,
  receivers int not null,
  open int not null,
  created_at bigint not null,
  send_at bigint not null,
  finished_at bigint,
  account varchar(32) not null default 'default',
  primary key (id),
  unique key messages_once (app,idempotency_key),
  key messages_by_time (app,created_at),
  key messages_by_campaign (campaign_id)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create table nonces (
  app varchar(32) not null,
  nonce varchar(64) not null,
  claim char(16) character set ascii collate ascii_bin not null,
  expires_at bigint not null,
  primary key (app,nonce),
  key nonces_by_end (expires_at)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create table result_callbacks (
  message_id char(36) character set ascii collate ascii_bin not null,
  app varchar(32) not null,
  host varchar(253) not null,
  state varchar(7) not null default 'open',
  tries int not null default 0,
  due_at bigint,
  lease_owner char(36) character set ascii collate ascii_bin,
  noted_at bigint not null,
  last_error varchar(200),
  done_at bigint,
  primary key (message_id),
  key result_callbacks_by_time (due_at,host),
  key result_callbacks_by_end (done_at)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create table template_versions (
  template_key varchar(32) character set ascii collate ascii_bin not null,
  version int not null,
  title varchar(100) not null,
  content text not null,
  author varchar(32) not null,
  created_at bigint not null,
  primary key (template_key,version)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;

create table templates (
  template_key varchar(32) character set ascii collate ascii_bin not null,
  version int not null,
  deleted tinyint not null,
  primary key (template_key)
) engine=InnoDB default charset=utf8mb4 collate=utf8mb4_bin;
