#include <sluice/session_stores/lmdb_store.h>

#include <lmdb.h>

#include <utility>

#include "lmdb_folder.h"
#include "options.h"
#include "worker.h"

namespace sluice::session_stores {
namespace {

// Each put() looks at so many sessions and removes those that have expired: once per lifetime, and
// more often than sessions come, the whole database has been looked at.
constexpr int kLookedAtPerPut = 2;

MDB_val value_of(Bytes bytes) {
  // LMDB does not write to what it is given.
  return {bytes.size(), const_cast<std::byte*>(bytes.data())};
}
Bytes view_of(const MDB_val& value) {
  return {static_cast<const std::byte*>(value.mv_data), value.mv_size};
}

struct CloseEnvironment {
  void operator()(MDB_env* environment) const { mdb_env_close(environment); }
};
using EnvironmentPtr = std::unique_ptr<MDB_env, CloseEnvironment>;

struct Tables {
  MDB_dbi sessions;  // entries, by their first connection ID
  MDB_dbi others;    // the first connection ID, by another one
};

// One transaction. Functions that return an int return LMDB's error, 0 for none.
class Transaction {
 public:
  static tl::expected<Transaction, int> begin(MDB_env* environment, const Tables& tables) {
    MDB_txn* handle = nullptr;
    const int error = mdb_txn_begin(environment, nullptr, 0, &handle);
    if (error != 0) return tl::unexpected(error);
    return Transaction(handle, tables);
  }
  Transaction(Transaction&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), tables_(other.tables_) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction() {
    if (handle_ != nullptr) mdb_txn_abort(handle_);
  }
  [[nodiscard]] int commit() { return mdb_txn_commit(std::exchange(handle_, nullptr)); }

  int put(Bytes id, const Entry& entry) {
    Buffer replaced;
    int error = remove(id, replaced);
    if (error != 0 && error != MDB_NOTFOUND) return error;
    error = put(tables_.sessions, id, encode(entry));
    for (const Buffer& other : entry.other_connection_ids) {
      if (error == 0) error = put(tables_.others, other, id);
    }
    return error;
  }
  // MDB_NOTFOUND: none has this connection ID, or it has expired.
  int take(Bytes id, std::int64_t now, Buffer& session) {
    std::int64_t expires = 0;
    int error = remove(id, session, &expires);
    if (error == MDB_NOTFOUND) {
      MDB_val first;
      error = get(tables_.others, id, first);
      if (error == 0) error = remove(copy_of(view_of(first)), session, &expires);
    }
    return error == 0 && expires <= now ? MDB_NOTFOUND : error;
  }
  // Looks at the sessions from `position` on.
  int remove_expired(Buffer& position, std::int64_t now) {
    for (int i = 0; i < kLookedAtPerPut; ++i) {
      MDB_cursor* cursor = nullptr;
      int error = mdb_cursor_open(handle_, tables_.sessions, &cursor);
      if (error != 0) return error;
      MDB_val key = value_of(position);
      MDB_val value;
      error = mdb_cursor_get(cursor, &key, &value, position.empty() ? MDB_FIRST : MDB_SET_RANGE);
      Buffer id = error == 0 ? copy_of(view_of(key)) : Buffer();
      const auto expires = error == 0 ? expiry_of(view_of(value)) : std::nullopt;
      mdb_cursor_close(cursor);
      if (error == MDB_NOTFOUND) {
        position.clear();
        return 0;
      }
      Buffer session;
      if (error == 0 && expires.value_or(0) <= now) error = remove(id, session);
      if (error != 0) return error;
      // The least key after this one.
      position = std::move(id);
      position.push_back(std::byte{0});
    }
    return 0;
  }
  int count(std::uint64_t& sessions) {
    MDB_stat stat;
    const int error = mdb_stat(handle_, tables_.sessions, &stat);
    if (error == 0) sessions = stat.ms_entries;
    return error;
  }

 private:
  Transaction(MDB_txn* handle, const Tables& tables) : handle_(handle), tables_(tables) {}

  int get(MDB_dbi table, Bytes key_bytes, MDB_val& value) {
    MDB_val key = value_of(key_bytes);
    return mdb_get(handle_, table, &key, &value);
  }
  int put(MDB_dbi table, Bytes key_bytes, Bytes value_bytes) {
    MDB_val key = value_of(key_bytes);
    MDB_val value = value_of(value_bytes);
    return mdb_put(handle_, table, &key, &value, 0);
  }
  int remove(MDB_dbi table, Bytes key_bytes) {
    MDB_val key = value_of(key_bytes);
    return mdb_del(handle_, table, &key, nullptr);
  }
  // Removes the session whose first connection ID is `id`.
  int remove(Bytes id, Buffer& session, std::int64_t* expires = nullptr) {
    MDB_val value;
    int error = get(tables_.sessions, id, value);
    if (error != 0) return error;
    auto entry = decode(view_of(value));
    error = remove(tables_.sessions, id);
    if (error != 0) return error;
    if (!entry) return MDB_NOTFOUND;  // a foreign form: nobody can use it
    for (const Buffer& other : entry->other_connection_ids) {
      error = remove(tables_.others, other);
      if (error != 0 && error != MDB_NOTFOUND) return error;
    }
    session = std::move(entry->session);
    if (expires != nullptr) *expires = entry->expires;
    return 0;
  }

  MDB_txn* handle_;
  Tables tables_;
};

Failed lmdb_failure(int error) {
  const bool is_full = error == MDB_MAP_FULL || error == ENOSPC;
  return Failed{is_full ? StoreError::full : StoreError::unavailable};
}

class LmdbBackend final : public Backend {
 public:
  LmdbBackend(const StoreOptions& options, LmdbFolder folder, EnvironmentPtr environment,
              Tables tables)
      : options_(options),
        folder_(std::move(folder)),
        environment_(std::move(environment)),
        tables_(tables) {}
  ~LmdbBackend() override {
    if (mdb_env_sync(environment_.get(), 1) == 0) folder_.close_in_order();
  }

  void process(std::vector<Request>& requests, Completions& completions) override {
    std::vector<Outcome> outcomes;
    if (run(requests, outcomes) != 0) {
      // A request that fails spoils its transaction: so that it fails alone, each gets its own.
      outcomes.clear();
      for (Request& request : requests) {
        const int error = run({&request, 1}, outcomes);
        if (error != 0) outcomes.emplace_back(lmdb_failure(error));
      }
    }
    for (std::size_t i = 0; i < requests.size(); ++i) {
      completions.complete({requests[i].token, std::move(outcomes[i])});
    }
  }

 private:
  // One transaction. Appends the outcomes of all requests, or of none.
  int run(std::span<Request> requests, std::vector<Outcome>& outcomes) {
    auto transaction = Transaction::begin(environment_.get(), tables_);
    if (!transaction) return transaction.error();
    const std::size_t before = outcomes.size();
    int error = 0;
    for (Request& request : requests) {
      error = std::visit([&](auto& operation) { return apply(*transaction, operation, outcomes); },
                         request.operation);
      if (error != 0) break;
    }
    if (error == 0) error = transaction->commit();
    if (error != 0) outcomes.resize(before);
    return error;
  }

  int apply(Transaction& transaction, Put& put, std::vector<Outcome>& outcomes) {
    const std::int64_t now = seconds_now(options_);
    Entry entry = put.entry;
    entry.expires += now;
    int error = transaction.remove_expired(position_, now);
    if (error == 0) error = transaction.put(put.connection_id, entry);
    if (error == 0) outcomes.emplace_back(PutDone{});
    return error;
  }
  int apply(Transaction& transaction, Take& take, std::vector<Outcome>& outcomes) {
    Buffer session;
    const int error = transaction.take(take.connection_id, seconds_now(options_), session);
    if (error != 0 && error != MDB_NOTFOUND) return error;
    outcomes.emplace_back(error == 0 ? TakeDone{std::move(session)} : TakeDone{});
    return 0;
  }
  int apply(Transaction& transaction, Erase& erase, std::vector<Outcome>& outcomes) {
    Buffer session;
    const int error = transaction.take(erase.connection_id, seconds_now(options_), session);
    if (error != 0 && error != MDB_NOTFOUND) return error;
    outcomes.emplace_back(EraseDone{error == 0});
    return 0;
  }
  static int apply(Transaction& transaction, Count& /*count*/, std::vector<Outcome>& outcomes) {
    CountDone done{};
    const int error = transaction.count(done.sessions);
    if (error == 0) outcomes.emplace_back(done);
    return error;
  }

  const StoreOptions options_;
  LmdbFolder folder_;
  EnvironmentPtr environment_;
  Tables tables_;
  Buffer position_;  // where the search for expired sessions goes on
};

tl::expected<Tables, int> open_tables(MDB_env* environment) {
  MDB_txn* transaction = nullptr;
  int error = mdb_txn_begin(environment, nullptr, 0, &transaction);
  if (error != 0) return tl::unexpected(error);
  Tables tables{};
  error = mdb_dbi_open(transaction, "sessions", MDB_CREATE, &tables.sessions);
  if (error == 0) error = mdb_dbi_open(transaction, "others", MDB_CREATE, &tables.others);
  if (error != 0) {
    mdb_txn_abort(transaction);
    return tl::unexpected(error);
  }
  error = mdb_txn_commit(transaction);
  if (error != 0) return tl::unexpected(error);
  return tables;
}

}  // namespace

dtls::Result<std::unique_ptr<LiveSessionStore>> make_lmdb_store(const LmdbStoreOptions& options) {
  if (options.store.max_pending == 0) return invalid("max_pending");
  if (options.folder.empty()) return invalid("folder");
  const bool survives_power_failure = options.durability == Durability::machine;
  auto folder = LmdbFolder::open(options.folder, {.survives_power_failure = survives_power_failure,
                                                  .is_exclusive = options.exclusive});
  if (!folder) return dtls::forward_error(folder);

  MDB_env* handle = nullptr;
  int error = mdb_env_create(&handle);
  if (error != 0) return invalid(mdb_strerror(error));
  EnvironmentPtr environment(handle);
  error = mdb_env_set_maxdbs(handle, 2);
  if (error == 0) error = mdb_env_set_mapsize(handle, options.max_bytes);
  // Read-ahead only costs where sessions are woken at random.
  const unsigned flags = MDB_NORDAHEAD | (survives_power_failure ? 0 : MDB_NOSYNC);
  if (error == 0) error = mdb_env_open(handle, options.folder.c_str(), flags, 0600);
  if (error != 0) return invalid(options.folder.string() + ": " + mdb_strerror(error));
  const auto tables = open_tables(handle);
  if (!tables) return invalid(options.folder.string() + ": " + mdb_strerror(tables.error()));

  auto backend = std::make_unique<LmdbBackend>(options.store, std::move(*folder),
                                               std::move(environment), *tables);
  return std::make_unique<WorkerStore>(options.store, std::move(backend));
}

}  // namespace sluice::session_stores
