#include "fleet_store.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <sluice/session_stores/lmdb_store.h>
#include <sluice/session_stores/redis_store.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "pin.h"
#include "support/endpoints.h"
#include "support/temporary_folder.h"
#include "unit/session_stores/redis_server.h"

namespace sluice::bench {
namespace {

namespace stores = session_stores;

// Addresses, not memory: room for 25,000,000 sessions several times.
constexpr std::size_t kMaxDatabase = std::size_t{64} << 30;

// A store's thread may run where it likes.
template <class Make>
auto make_unpinned(Make&& make) {
  unpin();
  auto made = test::must(make());
  pin_to(cores().back());
  return made;
}

class LmdbFleetStore final : public FleetStore {
 public:
  LmdbFleetStore() {
    const test::TemporaryFolder folder;
    sessions_ = make_unpinned([&] {
      return stores::make_lmdb_store({.folder = folder.path(), .max_bytes = kMaxDatabase});
    });
    // The folder goes now, and the file with the process at the latest, however that ends.
    file_ = open((folder.path() / "data.mdb").c_str(), O_RDONLY | O_CLOEXEC);
    if (file_ < 0) throw std::runtime_error("no database in " + folder.path().string());
  }
  ~LmdbFleetStore() override { close(file_); }

  stores::LiveSessionStore& sessions() override { return *sessions_; }
  double bytes() override {
    struct stat status{};
    if (fstat(file_, &status) != 0) throw std::runtime_error("the database has no size");
    return static_cast<double>(status.st_size);
  }
  void settle() override {
    if (fsync(file_) != 0) throw std::runtime_error("the database cannot be written to the disk");
  }

 private:
  std::unique_ptr<stores::LiveSessionStore> sessions_;
  int file_ = -1;
};

class RedisFleetStore final : public FleetStore {
 public:
  RedisFleetStore()
      : sessions_(
            make_unpinned([&] { return stores::make_redis_store({.port = server_.port()}); })),
        monitor_(redisConnect("127.0.0.1", server_.port())) {
    if (!monitor_ || monitor_->err != 0) throw std::runtime_error("Redis is not reached");
  }

  stores::LiveSessionStore& sessions() override { return *sessions_; }
  double bytes() override {
    constexpr std::string_view kField = "used_memory:";
    const std::unique_ptr<redisReply, FreeReply> reply(
        static_cast<redisReply*>(redisCommand(monitor_.get(), "INFO memory")));
    if (!reply || reply->type != REDIS_REPLY_STRING) throw std::runtime_error("no INFO of Redis");
    std::istringstream lines(std::string(reply->str, reply->len));
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(kField)) return std::stod(line.substr(kField.size()));
    }
    throw std::runtime_error("no used_memory in INFO of Redis");
  }
  void settle() override {}

 private:
  struct FreeReply {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
  };
  struct FreeContext {
    void operator()(redisContext* context) const { redisFree(context); }
  };

  stores::test::RedisServer server_;
  std::unique_ptr<stores::LiveSessionStore> sessions_;
  std::unique_ptr<redisContext, FreeContext> monitor_;
};

// Whether a shell would find the program.
bool is_installed(const std::string& program) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread changes the environment.
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (access((std::filesystem::path(folder) / program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

}  // namespace

const char* name_of(StoreKind kind) { return kind == StoreKind::lmdb ? "lmdb" : "redis"; }

std::string missing_for(StoreKind kind) {
  if (kind == StoreKind::redis && !is_installed("redis-server")) {
    return "redis-server is not installed";
  }
  return {};
}

std::unique_ptr<FleetStore> make_fleet_store(StoreKind kind) {
  if (kind == StoreKind::lmdb) return std::make_unique<LmdbFleetStore>();
  return std::make_unique<RedisFleetStore>();
}

}  // namespace sluice::bench
